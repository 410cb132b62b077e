//! Where figures come from, in words, under short keys.
//!
//! The model is stored as one document that every run loads, and most figures share a few sources: a figure holds the
//! key, this table the words. A source that is no key stands for itself.

/// Keys and the words they stand for.
pub const SOURCES: &[(&str, &str)] = &[
    (
        "agner-fog",
        "Agner Fog, Instruction tables (2024), Skylake rows at a nominal 3 GHz: reciprocal throughput, since \
         out-of-order cores overlap what is independent; the deviation makes latency, which dependent chains come \
         to, the 95th percentile",
    ),
    (
        "winch-ops",
        "the agner-fog figure times 1.3, and an access to the first cache, half a cycle, for each local, which the \
         single-pass compiler keeps in memory; this puts common mixes 1.5 to 2.5 times above the optimising compiler, \
         as measured by the project on a 2-core x86-64 machine, wasmtime 48.0.8; on its own corpus 1.05 (a state \
         machine) to 2.2 (a matrix product)",
    ),
    (
        "pulley-ops",
        "the optimising compiler's figure plus 10 cycles of decoding and dispatch per operator; bytecode measured 14 \
         to 50 times slower by the project on a 2-core x86-64 machine, wasmtime 48.0.8",
    ),
    (
        "compile",
        "measured by the project on a 2-core x86-64 machine, wasmtime 48.0.8, per 10^6 bytes of code section on one \
         core: Cranelift 0.91 to 1.04 s, Winch 0.12 to 0.19 s; 255 to 445 MB held for 20 MB modules; 0.91 of the work \
         divides over two threads (resvg, 0.82 s of wall time for 1.51 s of CPU); the first module of a process \
         takes 1.7 to 5.1 ms on Winch and 1.7 to 7 ms on Cranelift beyond that, least of five, modules of 0.1 to 20 kB",
    ),
    (
        "artifact-size",
        "measured by the project with wasmtime 48.0.2 compile on resvg (1.84 MB of code): artifacts of 8.7 MB (Winch) and \
         5.5 MB (Cranelift), less 2.6 MB of data; writing to the page cache 0.5 to 0.8 ms per MB, small files 0.35 ms",
    ),
    (
        "map",
        "measured by the project, wasmtime 48.0.8: 0.3 to 0.5 ms to find, verify and map an artifact; deserialize_file \
         alone takes 25 to 630 us, small to 20 MB modules",
    ),
    (
        "link",
        "measured by the project, wasmtime 48.0.8: 0.15 to 0.25 ms to define the WASI functions and resolve imports \
         over eleven programs; InstancePre itself takes 1 to 12 us",
    ),
    (
        "instantiate",
        "measured by the project, wasmtime 48.0.8: 0.08 to 4 ms for a module fresh from the compiler, small to 20 MB \
         modules",
    ),
    ("pool", "measured by the project, wasmtime 48.0.8: 1.0 to 1.3 us for an instance from the engine's pool"),
    (
        "analyze",
        "measured by the project: wasmparser validates at 165 to 182 MB/s and walks at 120 to 131 MB/s on one core",
    ),
    (
        "instructions",
        "one instruction per cycle at a nominal 3 GHz; general programs retire a third of one to three per cycle (Hennessy \
         and Patterson, Computer Architecture, 6th ed., 3.12), which makes the deviation ln(9) / 3.29",
    ),
    (
        "bytecode",
        "measured by the project: CPython 3.11, loops of arithmetic, calls, attribute and item accesses, 1.5 to 3.4 ns per \
         operation; library calls and allocation take more",
    ),
    (
        "python-start",
        "measured by the project: python3 -c pass, CPython 3.11, two builds: 11 to 18 and 62 to 66 ms of CPU time, \
         whose ends make the deviation ln(66 / 12) / 3.29",
    ),
    (
        "native-start",
        "measured by the project: 139 programs of Debian 12, chosen by chance, asked for their version, confined, 2 cores, Linux \
         6.18: least squares of the logarithms over number and size of the libraries, median error 9 % of memory, 12 % of CPU \
         time",
    ),
    (
        "java-start",
        "measured by the project: 11 tools of OpenJDK 17 asked for their version, 38 to 52 MB and 40 ms of CPU time",
    ),
    (
        "native-runs",
        "measured by the project: 52 commands on Debian 12 (compressors, compilers, text tools, interpreters, image and data \
         tools on files of some megabytes), what they used beyond their start; 50 of them had 90 times the instructions that \
         their code told, in the geometric mean",
    ),
    ("python-memory", "measured by the project: python3 -c pass, nine builds of CPython 3.6 to 3.13, 7.1 to 13.4 MB"),
    ("sandbox", "measured by the project: confine /bin/true against /bin/true, 2 cores, Linux 6.18, 2.4 to 4.1 ms"),
    (
        "memory-growth",
        "measured by the project: 256 MiB touched in a control group of version 1 that is given more at 64, the longest wait \
         for a page 4 ms, the clock's tick, as it is without a limit; median of eight",
    ),
    (
        "told",
        "measured by the project: /bin/true executed beside the making of its plan and after it, 0.1 and 0.3 ms between the \
         medians of 120 rounds in turn of two builds",
    ),
    (
        "file-reads",
        "measured by the project: importing scikit-learn and pandas, 192 MB of 1462 files on a virtual disk, 1.33 s in the \
         page cache, 2.35 s without, 1.42 to 1.65 s with all of it read ahead beside the start; median of three",
    ),
    ("quota", "set by the sandbox, which measured 1.01 to 1.04 times the share asked for with it"),
    ("parallel-share", "not known: the mean of a share of which nothing is known (Laplace 1774)"),
    ("read", "measured by the project: SHA-256 of a 13 MB file in the page cache, 0.56 ms per MB on one core"),
    (
        "first-touch",
        "measured by the project on a virtual machine: 0.13 ms per MB where the host backs the memory, 2.2 to 2.6 ms \
         after idle; 0.37 ms on the median of three later runs, which is taken",
    ),
    ("thread-start", "measured by the project: a pool of two compiling threads takes 0.1 to 0.2 ms to start"),
    ("prefault", "measured by the project: MADV_POPULATE_WRITE of 64 MiB, 0.35 ms per MB, median of three"),
    (
        "fargate",
        "AWS Fargate, us-east-1, Linux on x86: 0.04048 dollars per vCPU-hour, 0.004445 dollars per GB-hour \
         (aws.amazon.com/fargate/pricing)",
    ),
    ("ebs", "AWS EBS gp3, us-east-1: 0.08 dollars per GB-month of 730 hours (aws.amazon.com/ebs/pricing)"),
    (
        "cloud-carbon",
        "Cloud Carbon Footprint, Methodology, appendix I: AWS averages of 0.74 W per idle and 3.5 W per busy vCPU, \
         0.000392 kWh per GB-hour of memory",
    ),
    (
        "run-prior",
        "median of six programs measured by the project on precompiled code (regex 11 ms, resvg 20, esbuild 25, \
         CPython 50, sqlite3 835, gcc-loops 3910); spread as of the log-normal fitted to execution times by Shahrad \
         et al., Serverless in the Wild, USENIX ATC 2020 (sigma 2.36)",
    ),
    (
        "growth-numbers",
        "even odds that a number means nothing (Laplace's principle of indifference) or is a size; the 15 programs of \
         docs/prediction/epyc.jsonl that were measured at two sizes and grow as a power do so with exponents from 0.99 to \
         3.56, mean 1.9, deviation 0.7; mean and deviation of the mixture",
    ),
    (
        "growth-bytes",
        "between not at all and linearly, since what is read once costs time in proportion beside what a program does \
         anyway: mean and deviation of the uniform distribution from 0 to 1",
    ),
    (
        "process",
        "measured by the project: median of 21 starts and exits of wasmtime 48.0.2 --version, 2.7 ms of wall time",
    ),
    ("spawn", "measured by the project: posix_spawn takes 0.7 ms"),
    (
        "null-call",
        "a null system call, 0.1 to 1 us (L. McVoy and C. Staelin, lmbench, USENIX ATC 1996, and later kernels), which \
         most host calls come down to",
    ),
    (
        "one-hit",
        "Maggs and Sitaraman, Algorithmic Nuggets in Content Delivery, CCR 45(3), 2015: three quarters of what is \
         requested is requested only once; so a first run is followed by another with probability 1/4",
    ),
    (
        "artifact-life",
        "one day: Shahrad et al., Serverless in the Wild, USENIX ATC 2020, find that 81 % of applications are invoked \
         at most once a minute on average and 45 % at most once an hour; a day covers all but the rarest",
    ),
    ("op-mix", "static operator shares of resvg, flite and graphviz (1.2 million operators), measured by the project"),
    ("fuel", "measured by the project, wasmtime 48.0.8: counting fuel adds 15 % to run and 57 % to compile time"),
    (
        "counters",
        "measured by the project, wasmtime 48.0.8, bench emulate: counting by rewriting makes runs take 1.6 to 1.9 times as \
         long in the median, compiling 1.6 times, on the fast tier",
    ),
    ("calibrated", "timed on this machine by generated calibration modules"),
    ("runs", "timed on this machine's own runs"),
];

/// The words for a source: those of its key, or itself where it is none.
#[must_use]
pub fn words(source: &str) -> &str {
    SOURCES.iter().find(|(key, _)| *key == source).map_or(source, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_distinct_and_words_pass_through() {
        for (index, (key, text)) in SOURCES.iter().enumerate() {
            assert!(SOURCES[..index].iter().all(|(other, _)| other != key), "{key} twice");
            assert_eq!(words(key), *text);
        }
        assert_eq!(words("timed by hand"), "timed by hand");
    }
}
