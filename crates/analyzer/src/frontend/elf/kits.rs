//! What imported functions are for: host services, and libraries with a purpose. By name, from the interfaces they are
//! named in: POSIX.1-2024, the BLAS and LAPACK references, FFTW 3, OpenSSL 3, OpenMP 5 with the runtimes of GCC and
//! LLVM, MPI 4, CUDA 12, OpenCL 3.

use forewarm_types::demand::IoKind;

use super::traits::slots;

/// Functions of the C library by host service.
const SERVICES: [(IoKind, &[&str]); 8] = [
    (
        IoKind::Filesystem,
        &[
            "open",
            "openat",
            "creat",
            "fopen",
            "fdopen",
            "freopen",
            "read",
            "pread",
            "readv",
            "preadv",
            "write",
            "pwrite",
            "writev",
            "pwritev",
            "fread",
            "fwrite",
            "fgets",
            "fgetc",
            "getc",
            "getline",
            "getdelim",
            "fputs",
            "fputc",
            "putc",
            "puts",
            "putchar",
            "printf",
            "fprintf",
            "vprintf",
            "vfprintf",
            "dprintf",
            "scanf",
            "fscanf",
            "stat",
            "lstat",
            "fstat",
            "statx",
            "opendir",
            "readdir",
            "unlink",
            "rename",
            "mkdir",
            "rmdir",
            "link",
            "symlink",
            "lseek",
            "fseek",
            "fseeko",
            "fsync",
            "fdatasync",
            "ftruncate",
            "sendfile",
            "copy_file_range",
            "mmap",
            "chmod",
            "chown",
            "access",
            "fflush",
            "_IO_putc",
            "_IO_getc",
            "perror",
            "__isoc99_scanf",
            "__isoc99_fscanf",
            "__printf_chk",
            "__fprintf_chk",
            "__vfprintf_chk",
            "__read_chk",
            "__fread_chk",
            "__fgets_chk",
        ],
    ),
    (
        IoKind::Network,
        &[
            "socket",
            "connect",
            "bind",
            "listen",
            "accept",
            "accept4",
            "send",
            "sendto",
            "sendmsg",
            "sendmmsg",
            "recv",
            "recvfrom",
            "recvmsg",
            "recvmmsg",
            "getaddrinfo",
            "gethostbyname",
            "shutdown",
            "socketpair",
        ],
    ),
    (IoKind::Http, &["curl_easy_perform", "curl_multi_perform", "nghttp2_session_send", "SSL_connect", "SSL_accept"]),
    (
        IoKind::Clock,
        &["clock_gettime", "gettimeofday", "time", "nanosleep", "clock_nanosleep", "usleep", "sleep", "timer_create"],
    ),
    (IoKind::Random, &["getrandom", "getentropy", "arc4random", "arc4random_buf"]),
    (
        IoKind::Process,
        &[
            "fork",
            "vfork",
            "execve",
            "execv",
            "execvp",
            "execvpe",
            "execl",
            "execlp",
            "fexecve",
            "posix_spawn",
            "posix_spawnp",
            "system",
            "popen",
            "waitpid",
            "wait4",
            "waitid",
            "kill",
            "dlopen",
            "ptrace",
            "exit",
            "_exit",
        ],
    ),
    (IoKind::Poll, &["poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait", "io_uring_enter"]),
    (IoKind::Threads, &["pthread_create", "thrd_create", "clone", "clone3", "GOMP_parallel", "__kmpc_fork_call"]),
];

/// A purpose, prefixes of names that tell of it, and whole names.
type Purpose = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Purposes of libraries.
const KITS: [Purpose; 20] = [
    (
        "BLAS",
        &["cblas_", "openblas_", "bli_", "mkl_"],
        &[
            "dgemm_", "sgemm_", "zgemm_", "cgemm_", "dgemv_", "sgemv_", "daxpy_", "saxpy_", "ddot_", "sdot_", "dscal_",
            "dnrm2_", "dtrsm_", "strsm_", "dsyrk_", "dger_",
        ],
    ),
    ("LAPACK", &["LAPACKE_"], &["dgesv_", "dgetrf_", "dpotrf_", "dgeqrf_", "dsyev_", "dgesvd_", "sgesv_", "dgels_"]),
    ("FFTW", &["fftw_", "fftwf_", "fftwl_"], &[]),
    (
        "OpenSSL",
        &["EVP_", "SSL_", "BN_", "RSA_", "EC_KEY_", "ECDSA_", "OPENSSL_", "HMAC_", "CRYPTO_"],
        &[
            "SHA256_Update",
            "SHA1_Update",
            "SHA512_Update",
            "AES_encrypt",
            "AES_set_encrypt_key",
            "MD5_Update",
            "RAND_bytes",
        ],
    ),
    ("libsodium", &["crypto_secretbox", "crypto_sign", "crypto_box", "crypto_aead", "sodium_"], &[]),
    ("OpenMP", &["GOMP_", "omp_", "__kmpc_"], &[]),
    ("TBB", &["_ZN3tbb"], &[]),
    ("pthreads", &["pthread_"], &["thrd_create"]),
    ("MPI", &["MPI_", "PMPI_", "mpi_"], &[]),
    (
        "CUDA",
        &["cuda", "__cuda", "cublas", "cufft", "cudnn", "cusparse", "cusolver", "nvrtc", "nccl"],
        &["cuInit", "cuLaunchKernel", "cuModuleLoad", "cuModuleLoadData", "cuMemAlloc_v2", "cuCtxCreate_v2"],
    ),
    ("HIP", &["hip", "rocblas_", "miopen"], &[]),
    (
        "OpenCL",
        &["clCreate", "clEnqueue", "clGetPlatform", "clGetDevice", "clBuildProgram", "clSetKernelArg"],
        &["clFinish"],
    ),
    ("Vulkan", &["vkCreate", "vkCmd", "vkQueue", "vkEnumerate"], &[]),
    ("tensors", &["TF_", "TfLite", "OrtGetApiBase", "OrtSession", "_ZN2at", "_ZN5torch"], &[]),
    ("zlib", &[], &["deflate", "inflate", "compress", "compress2", "uncompress", "gzread", "gzwrite", "deflateInit_"]),
    ("compression", &["ZSTD_", "LZ4_", "BZ2_", "lzma_", "Brotli"], &[]),
    ("SQLite", &["sqlite3_"], &[]),
    ("Python", &["Py_", "PyObject_", "PyModule_", "PyErr_", "PyArg_"], &[]),
    ("loading at run time", &[], &["dlopen", "dlsym", "dlmopen"]),
    ("other programs", &["posix_spawn", "exec"], &["fork", "vfork", "system", "popen"]),
];

/// The services and the purposes that some name tells of, one bit each, by a hash of what is quickly looked at in a name: it
/// settles nearly all others, since programs have many names.
static SERVING: [u32; 1 << 12] = serving();
static NAMED: [u32; 1 << 12] = named();

/// The same of the first three letters of prefixes.
static BEGUN: [u32; 1 << 12] = begun();

const fn slot(name: &[u8]) -> usize {
    match name {
        [] => 0,
        [first, .., last] => {
            let letters = *first as usize | (*last as usize) << 8 | (name[name.len() / 2] as usize) << 16;
            hashed(letters | name.len() << 24)
        }
        [only] => hashed(*only as usize),
    }
}

const fn beginning(name: &[u8]) -> usize {
    match name {
        [a, b, c, ..] => hashed(*a as usize | (*b as usize) << 8 | (*c as usize) << 16),
        _ => 0,
    }
}

/// Fibonacci hashing (Knuth, "The Art of Computer Programming" 3, section 6.4).
const fn hashed(key: usize) -> usize {
    (key as u32).wrapping_mul(0x9e37_79b1) as usize >> 20
}

const fn serving() -> [u32; 1 << 12] {
    let mut out = [0; 1 << 12];
    let mut at = 0;
    while at < SERVICES.len() {
        note(&mut out, SERVICES[at].1, at, false);
        at += 1;
    }
    out
}

const fn named() -> [u32; 1 << 12] {
    let mut out = [0; 1 << 12];
    let mut at = 0;
    while at < KITS.len() {
        note(&mut out, KITS[at].2, at, false);
        at += 1;
    }
    out
}

const fn begun() -> [u32; 1 << 12] {
    let mut out = [0; 1 << 12];
    let mut at = 0;
    while at < KITS.len() {
        note(&mut out, KITS[at].1, at, true);
        at += 1;
    }
    out
}

const fn note(out: &mut [u32; 1 << 12], names: &[&str], of: usize, begin: bool) {
    let mut at = 0;
    while at < names.len() {
        let name = names[at].as_bytes();
        out[if begin { beginning(name) } else { slot(name) }] |= 1 << of;
        at += 1;
    }
}

/// The host service that a function of the C library stands for. Variants for large files and checked ones count as the
/// function they vary.
pub(crate) fn service(name: &str) -> Option<IoKind> {
    let plain = name.strip_suffix("64").unwrap_or(name);
    let plain = plain.strip_prefix("__").and_then(|rest| rest.strip_suffix("_chk")).unwrap_or(plain);
    let may = SERVING[slot(name.as_bytes())] | SERVING[slot(plain.as_bytes())];
    let named = |names: &[&str]| names.contains(&name) || names.contains(&plain);
    slots(may).map(|at| SERVICES[at]).find(|service| named(service.1)).map(|service| service.0)
}

/// What a function is for, beyond the C library.
pub(crate) fn purpose(name: &str) -> Option<&'static str> {
    let hip = |prefix: &str| prefix != "hip" || name[3..].starts_with(|letter: char| letter.is_ascii_uppercase());
    let may = NAMED[slot(name.as_bytes())] | BEGUN[beginning(name.as_bytes())];
    let begins = |prefix: &&str| name.starts_with(*prefix) && hip(prefix);
    slots(may).map(|at| KITS[at]).find(|kit| kit.1.iter().any(begins) || kit.2.contains(&name)).map(|kit| kit.0)
}

/// Functions that wait for a lock, by what they lock.
pub(crate) fn waits(name: &str) -> bool {
    matches!(
        name,
        "pthread_mutex_lock"
            | "pthread_rwlock_rdlock"
            | "pthread_rwlock_wrlock"
            | "pthread_spin_lock"
            | "pthread_cond_wait"
            | "pthread_cond_timedwait"
            | "pthread_barrier_wait"
            | "sem_wait"
            | "mtx_lock"
            | "GOMP_critical_start"
            | "GOMP_barrier"
            | "__kmpc_critical"
            | "__kmpc_barrier"
            | "omp_set_lock"
    )
}

/// Functions by which the C library's allocator is asked for memory.
pub(crate) fn allocates(name: &str) -> bool {
    matches!(name, "malloc" | "calloc" | "realloc" | "aligned_alloc" | "posix_memalign" | "mmap" | "mmap64" | "sbrk")
        || matches!(name, "_Znwm" | "_Znam" | "brk" | "memalign")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_purposes() {
        let rows = [
            ("cblas_dgemm", Some("BLAS")),
            ("dgemm_", Some("BLAS")),
            ("fftw_execute", Some("FFTW")),
            ("EVP_DigestUpdate", Some("OpenSSL")),
            ("GOMP_parallel", Some("OpenMP")),
            ("pthread_create", Some("pthreads")),
            ("MPI_Allreduce", Some("MPI")),
            ("cudaMalloc", Some("CUDA")),
            ("clEnqueueNDRangeKernel", Some("OpenCL")),
            ("hipMalloc", Some("HIP")),
            ("hippo", None),
            ("clock", None),
            ("strlen", None),
        ];
        for (_, prefixes, _) in KITS {
            assert!(prefixes.iter().all(|prefix| prefix.len() > 2), "{prefixes:?} are looked for by three letters");
        }
        for (name, expected) in rows {
            assert_eq!(purpose(name), expected, "{name}");
        }
        assert_eq!(service("open64"), Some(IoKind::Filesystem));
        assert_eq!(service("__printf_chk"), Some(IoKind::Filesystem));
        assert_eq!(service("connect"), Some(IoKind::Network));
        assert_eq!(service("qsort"), None);
    }
}
