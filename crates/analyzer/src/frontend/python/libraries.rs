//! What well-known libraries do: their kind, what they do with the interpreter's lock, the hardware they would gain
//! from, and which host service a call stands for.
//!
//! By dotted prefix, the longest match wins. What is said of the lock is from each project's documentation: NumPy
//! "Multithreaded Generalized Universal Functions" and `NPY_BEGIN_THREADS`; PyTorch, ONNX Runtime, TensorFlow and JAX
//! run kernels outside it; CPython's `hashlib` ("releases the GIL for data larger than 2047 bytes"), `zlib`, `bz2`,
//! `lzma`, `ssl`, `socket`, `sqlite3` sources wrap their work in `Py_BEGIN_ALLOW_THREADS`; pandas "Releasing the GIL";
//! Pillow and OpenCV release it around whole-image operations; `json`, `re`, `csv`, `pickle` and the compiled parsers
//! work on Python objects and hold it.

use forewarm_types::demand::IoKind;
use forewarm_types::python::{Gil, LibraryKind};

/// What is known of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Library {
    /// Dotted prefix of what it offers.
    pub name: &'static str,
    pub kind: LibraryKind,
    pub gil: Gil,
}

const fn library(name: &'static str, kind: LibraryKind, gil: Gil) -> Library {
    Library { name, kind, gil }
}

use Gil::{Depends, Holds, Releases};
use LibraryKind::{
    Asyncio, Compression, Crypto, Database, Image, Network, Parsing, Process, Tensor, Thread, Vectorised,
};

/// In alphabetical order, for the search.
const LIBRARIES: [Library; 107] = [
    library("PIL", Image, Releases),
    library("PyPDF2", Parsing, Holds),
    library("aiohttp", Network, Releases),
    library("anyio", Asyncio, Holds),
    library("asyncio", Asyncio, Holds),
    library("asyncpg", Database, Releases),
    library("av", Image, Releases),
    library("bcrypt", Crypto, Releases),
    library("billiard", Process, Releases),
    library("binascii", Parsing, Holds),
    library("boto3", Network, Releases),
    library("botocore", Network, Releases),
    library("brotli", Compression, Releases),
    library("bz2", Compression, Releases),
    library("concurrent.futures.ProcessPoolExecutor", Process, Releases),
    library("concurrent.futures.ThreadPoolExecutor", Thread, Releases),
    library("crypt", Crypto, Holds),
    library("cryptography", Crypto, Depends),
    library("csv", Parsing, Holds),
    library("cupy", Tensor, Releases),
    library("curio", Asyncio, Holds),
    library("cv2", Image, Releases),
    library("dask", Vectorised, Depends),
    library("dbm", Database, Holds),
    library("django.db", Database, Releases),
    library("duckdb", Database, Releases),
    library("elasticsearch", Network, Releases),
    library("faiss", Vectorised, Releases),
    library("fsspec", Network, Releases),
    library("ftplib", Network, Releases),
    library("gevent", Asyncio, Holds),
    library("google.cloud", Network, Releases),
    library("grpc", Network, Releases),
    library("gzip", Compression, Releases),
    library("h5py", Vectorised, Holds),
    library("hashlib", Crypto, Depends),
    library("hmac", Crypto, Depends),
    library("http", Network, Releases),
    library("httpx", Network, Releases),
    library("imageio", Image, Depends),
    library("imaplib", Network, Releases),
    library("jax", Tensor, Releases),
    library("joblib.Parallel", Process, Releases),
    library("jose", Crypto, Depends),
    library("json", Parsing, Holds),
    library("jwt", Crypto, Depends),
    library("keras", Tensor, Releases),
    library("lightgbm", Vectorised, Releases),
    library("lxml", Parsing, Depends),
    library("lz4", Compression, Releases),
    library("lzma", Compression, Releases),
    library("mariadb", Database, Releases),
    library("msgpack", Parsing, Holds),
    library("multiprocessing", Process, Releases),
    library("multiprocessing.pool.ThreadPool", Thread, Releases),
    library("mysql", Database, Releases),
    library("nacl", Crypto, Releases),
    library("numba", Vectorised, Depends),
    library("numexpr", Vectorised, Releases),
    library("numpy", Vectorised, Releases),
    library("onnxruntime", Tensor, Releases),
    library("openai", Network, Releases),
    library("openpyxl", Parsing, Holds),
    library("orjson", Parsing, Holds),
    library("os.fork", Process, Releases),
    library("os.popen", Process, Releases),
    library("os.spawn", Process, Releases),
    library("os.system", Process, Releases),
    library("pandas", Vectorised, Depends),
    library("paramiko", Network, Releases),
    library("passlib", Crypto, Depends),
    library("pickle", Parsing, Holds),
    library("polars", Vectorised, Releases),
    library("psycopg", Database, Releases),
    library("psycopg2", Database, Releases),
    library("pyarrow", Vectorised, Releases),
    library("pymongo", Database, Releases),
    library("pymysql", Database, Releases),
    library("pyodbc", Database, Releases),
    library("re", Parsing, Holds),
    library("redis", Database, Releases),
    library("requests", Network, Releases),
    library("scipy", Vectorised, Depends),
    library("secrets", Crypto, Holds),
    library("skimage", Image, Depends),
    library("sklearn", Vectorised, Depends),
    library("smtplib", Network, Releases),
    library("snappy", Compression, Releases),
    library("socket", Network, Releases),
    library("spacy", Tensor, Depends),
    library("sqlalchemy", Database, Releases),
    library("sqlite3", Database, Releases),
    library("ssl", Crypto, Releases),
    library("subprocess", Process, Releases),
    library("tensorflow", Tensor, Releases),
    library("threading", Thread, Releases),
    library("torch", Tensor, Releases),
    library("torchvision", Tensor, Releases),
    library("transformers", Tensor, Releases),
    library("trio", Asyncio, Holds),
    library("urllib.request", Network, Releases),
    library("urllib3", Network, Releases),
    library("uvloop", Asyncio, Holds),
    library("xgboost", Vectorised, Releases),
    library("xml", Parsing, Holds),
    library("zlib", Compression, Releases),
    library("zstandard", Compression, Releases),
];

/// The library a dotted name belongs to.
pub(super) fn find(path: &str) -> Option<&'static Library> {
    let mut prefix = path;
    loop {
        if let Ok(index) = LIBRARIES.binary_search_by(|library| library.name.cmp(prefix)) {
            return LIBRARIES.get(index);
        }
        prefix = prefix.rsplit_once('.')?.0;
    }
}

/// Names of a library that cost nothing worth a word: types, constants, exceptions, decorators.
pub(super) fn incidental(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    last.ends_with("Error")
        || last.ends_with("Exception")
        || matches!(
            path,
            "threading.Lock" | "threading.RLock" | "threading.local" | "threading.current_thread" | "asyncio.Lock"
        )
}

/// The host service that calling a built-in or a standard function is, by its dotted name.
pub(super) fn service(path: &str) -> Option<IoKind> {
    Some(match path {
        "open" | "io.open" | "print" | "input" | "os.open" | "os.read" | "os.write" | "os.listdir" | "os.scandir"
        | "os.walk" | "os.stat" | "os.remove" | "os.unlink" | "os.rename" | "os.replace" | "os.makedirs"
        | "os.mkdir" | "sys.stdin.read" | "sys.stdin.readline" | "sys.stdout.write" | "sys.stderr.write" => {
            IoKind::Filesystem
        }
        "time.time"
        | "time.time_ns"
        | "time.perf_counter"
        | "time.monotonic"
        | "datetime.datetime.now"
        | "datetime.datetime.utcnow"
        | "datetime.date.today" => IoKind::Clock,
        "time.sleep" | "asyncio.sleep" | "select.select" => IoKind::Poll,
        "os.urandom" | "uuid.uuid4" | "uuid.uuid1" | "random.SystemRandom" => IoKind::Random,
        "os.getenv" | "os.environ.get" | "sys.exit" | "os._exit" => IoKind::Process,
        _ => {
            if ["shutil.", "pathlib.", "tempfile.", "glob."].iter().any(|prefix| path.starts_with(prefix)) {
                return Some(IoKind::Filesystem);
            }
            if path.starts_with("secrets.") {
                return Some(IoKind::Random);
            }
            return match find(path)?.kind {
                LibraryKind::Network if path.starts_with("http.") || path.starts_with("requests.") => {
                    Some(IoKind::Http)
                }
                LibraryKind::Network => Some(IoKind::Network),
                LibraryKind::Database if find(path)?.name == "sqlite3" => Some(IoKind::Filesystem),
                LibraryKind::Database => Some(IoKind::Network),
                LibraryKind::Thread => Some(IoKind::Threads),
                LibraryKind::Process => Some(IoKind::Process),
                LibraryKind::Tensor => Some(IoKind::NeuralNetwork),
                _ => None,
            };
        }
    })
}

/// Hardware that work in a library would gain from, and why.
pub(super) fn gains(library: &Library) -> Option<(&'static str, &'static str)> {
    Some(match library.kind {
        LibraryKind::Vectorised => ("simd", "works on whole arrays in vector registers"),
        LibraryKind::Tensor => ("tensor", "multiplies tensors, which tensor units or a GPU do"),
        LibraryKind::Crypto => ("crypto", "uses the processor's cryptographic instructions where there are any"),
        LibraryKind::Image => ("simd", "works on whole images in vector registers"),
        LibraryKind::Thread => ("threads", "starts threads, which gain where the work gives up the interpreter's lock"),
        LibraryKind::Process => ("threads", "starts processes, each with an interpreter and a lock of its own"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order() {
        assert!(LIBRARIES.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn the_longest_prefix_wins() {
        let kind = |path| find(path).map(|library| library.kind);
        assert_eq!(kind("numpy.linalg.norm"), Some(Vectorised));
        assert_eq!(kind("multiprocessing.pool.ThreadPool"), Some(Thread));
        assert_eq!(kind("multiprocessing.Pool"), Some(Process));
        assert_eq!(kind("urllib.parse.quote"), None);
        assert_eq!(kind("numpyx"), None);
    }
}
