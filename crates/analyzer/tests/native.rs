//! Native programs: golden files in `tests/golden_elf`, real ones of this machine, and bytes made to hurt.
//!
//! A golden file holds machine code in hexadecimal with its assembly beside it, and ends in the expected profile;
//! `FOREWARM_BLESS=1 cargo test -p forewarm-analyzer --test native` writes what the analyzer says now.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/golden.rs"]
mod golden_files;

#[path = "support/cases.rs"]
mod support;

use std::fmt::Write;
use std::process::Command;

use forewarm_analyzer::fuzz::{analyze_bytes, analyze_code, check_shapes, program};
use forewarm_analyzer::{AnalyzeError, Depth, analyze};
use forewarm_types::demand::{Dependence, RegionKind};
use forewarm_types::native::{Linkage, NativeKind};
use forewarm_types::{Analysis, Bytes, Digest};
use golden_files::{check_folder, shown};
use proptest::prelude::*;
use support::cases;

fn run(bytes: &[u8]) -> Result<Analysis, AnalyzeError> {
    analyze(bytes, Digest([0; 32]), Bytes(bytes.len() as u64), Depth::Full)
}

fn render(analysis: &Analysis) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "# {}", text.trim_end()).unwrap();
    let ops = &analysis.profile.ops;
    line(format!("{}, entry {:?}", analysis.code.kind, analysis.code.entry));
    line(format!("ops {}", shown(ops.total)));
    for (class, estimate) in &ops.classes {
        line(format!("  {} {}", class.name(), shown(Some(*estimate))));
    }
    line(format!("bytes: loaded {}, stored {}", shown(ops.load_bytes), shown(ops.store_bytes)));
    let isa = &analysis.profile.isa;
    line(format!("requires {}; may use {}", isa.required.join(" "), isa.may_use.join(" ")));
    for region in analysis.regions.iter().take(4) {
        let trips = region.trip_expression.clone().unwrap_or_else(|| shown(region.trip_count));
        let place = format!("{:?} at {:#x} depth {}", region.kind, region.offset, region.depth);
        line(format!("{place} share {:.3} trips {trips} {:?}", region.share, region.dependence));
    }
    for warning in &analysis.warnings {
        line(format!("warning: {warning}"));
    }
    out
}

/// The bytes before the assembly on each line.
fn assemble(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let hex = lines.flat_map(|line| line.split("  ").next().unwrap_or_default().split_whitespace());
    hex.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

#[test]
fn golden_files_hold() {
    check_folder("golden_elf", "#", 9, |source, _| render(&run(&program(&assemble(source))).unwrap()));
}

/// Says that a test was skipped, where CI collects it.
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn skip(test: &str, reason: &str) {
    let line = format!("SKIP {test}: {reason}");
    eprintln!("{line}");
    if let Some(list) = std::env::var_os("FOREWARM_SKIPS") {
        use std::io::Write;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(list);
        drop(file.and_then(|mut file| writeln!(file, "{line}")));
    }
}

/// A C program built with the system's compiler; `None` where there is none, or where it does not take the flags.
fn build(source: &str, flags: &[&str]) -> Option<Vec<u8>> {
    let folder = std::env::temp_dir().join(format!("forewarm-native-{}-{:p}", std::process::id(), &source));
    std::fs::create_dir_all(&folder).unwrap();
    let (input, output) = (folder.join("a.c"), folder.join("a.out"));
    std::fs::write(&input, source).unwrap();
    let built = Command::new("cc").args(flags).arg(&input).arg("-o").arg(&output).output();
    let bytes = built.ok().filter(|built| built.status.success()).and_then(|_| std::fs::read(&output).ok());
    std::fs::remove_dir_all(&folder).unwrap();
    bytes
}

#[test]
fn a_loop_has_a_share_of_its_own() {
    let analysis = run(&program(&assemble(include_str!("golden_elf/nested.code")))).unwrap();
    let loops: Vec<_> = analysis.regions.iter().filter(|region| region.kind == RegionKind::Loop).collect();
    let [outer, inner] = loops[..] else { panic!("{loops:?}") };
    assert!((inner.self_share - inner.share).abs() < 0.01, "{inner:?}");
    assert!((outer.self_share - (outer.share - inner.share)).abs() < 0.01, "{outer:?}");
}

#[test]
fn assembly_between_functions_is_found_where_it_is_called() {
    let source = "__asm__(\".text\\nhidden: mov $1000, %ecx\\n1: dec %ecx\\njnz 1b\\nret\\n\");
        void hidden(void); int main(void) { hidden(); return 0; }";
    let Some(bytes) = build(source, &["-O2", "-s"]) else {
        return skip("assembly_between_functions_is_found_where_it_is_called", "there is no compiler for x86-64");
    };
    let total = run(&bytes).unwrap().profile.ops.total.unwrap();
    assert!(total.low > 1900.0 && total.high < 2200.0, "{total:?}");
}

const MULTIPLY: &str = "
    double a[N][N], b[N][N], c[N][N];
    __attribute__((noinline)) void multiply(void) {
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double s = 0;
                for (int k = 0; k < N; k++) s += a[i][k] * b[k][j];
                c[i][j] = s;
            }
    }
    int main(void) { multiply(); return (int)c[1][2]; }";

#[test]
fn compiled_loops_scale_as_the_nest_says() {
    for level in ["-O0", "-O1", "-O2", "-O3"] {
        let [Some(small), Some(large)] = ["-DN=40", "-DN=80"].map(|size| build(MULTIPLY, &[level, size])) else {
            return skip("compiled_loops_scale_as_the_nest_says", "there is no C compiler");
        };
        let total = |bytes: &[u8]| run(bytes).unwrap().profile.ops.total.unwrap();
        let (small, large) = (total(&small), total(&large));
        assert!(small.width_ratio() < 1.2, "{level}: {small:?}");
        let ratio = large.expected / small.expected;
        // Cubic, less the part of each row that is not.
        assert!((6.5..8.01).contains(&ratio), "{level}: {ratio}");
    }
}

#[test]
fn what_a_loop_calls_does_not_make_it_dependent() {
    let source = "#include <math.h>
        #define N 4000
        double in[N], out[N]; int places[N], met;
        #define APART __attribute__((noinline, noclone))
        APART double square(double x) { return x * x + 1; }
        APART int count(int x) { met = met * 3 + x; return met; }
        APART void squares(void) { for (int i = 0; i < N; i++) out[i] = square(in[i]); }
        APART void sines(void) { for (int i = 0; i < N; i++) out[i] = sin(in[i]); }
        APART void counts(void) { for (int i = 0; i < N; i++) places[i] = count(i); }
        int main(int n, char **a) { in[n] = n; squares(); in[n] = out[n]; sines(); counts(); return out[n] + places[n]; }";
    let Some(bytes) = build(source, &["-O1", "-Wl,--no-as-needed", "-lm"]) else {
        return skip("what_a_loop_calls", "there is no C compiler");
    };
    let regions = run(&bytes).unwrap().regions;
    let of = |name: &str| {
        let mut loops = regions.iter().filter(|region| region.kind == RegionKind::Loop);
        loops.find(|region| region.function == name).unwrap_or_else(|| panic!("{name}: {regions:?}")).dependence
    };
    assert_eq!(of("squares"), Dependence::Independent);
    assert_eq!(of("sines"), Dependence::Independent);
    assert_eq!(of("counts"), Dependence::Unknown);
}

#[test]
fn what_the_processor_said_guards_code_that_it_reaches_by_way_of_others() {
    // Neither of the two that pass it on comes to code with features.
    let source = "#define APART __attribute__((noinline, noclone))
        static int answer, copy; int a[1000];
        APART void ask(void) { int a = 7, b, c = 0, d;
            __asm__ volatile(\"cpuid\" : \"+a\"(a), \"=b\"(b), \"+c\"(c), \"=d\"(d)); answer = b; }
        APART void pass(void) { copy = answer >> 5 & 1; }
        APART int told(void) { return copy; }
        APART __attribute__((target(\"avx2\"))) int fast(const int *a, int n) {
            int s = 0; for (int i = 0; i < n; i++) s += a[i] * 3; return s; }
        int main(void) { ask(); pass(); return told() ? fast(a, 1000) : 0; }";
    let Some(bytes) = build(source, &["-O3"]) else {
        return skip("what_the_processor_said", "there is no C compiler for x86-64");
    };
    let isa = run(&bytes).unwrap().profile.isa;
    assert!(isa.may_use.contains(&"avx2".to_owned()) && isa.required.is_empty(), "{isa:?}");
}

#[test]
fn a_program_built_for_a_processor_requires_it_and_one_that_asks_does_not() {
    let Some(haswell) = build(MULTIPLY, &["-O3", "-march=haswell", "-DN=40"]) else {
        return skip("a_program_built_for_a_processor", "there is no C compiler for x86-64");
    };
    assert!(run(&haswell).unwrap().profile.isa.required.contains(&"avx".to_owned()));
    let clones = "__attribute__((target_clones(\"avx2\", \"default\"), noinline)) int sum(const int *a, int n) {
            int s = 0; for (int i = 0; i < n; i++) s += a[i] * 3; return s; }
        int a[1000]; int main(void) { return sum(a, 1000); }";
    for flags in [&["-O3"][..], &["-O3", "-static"]] {
        let Some(bytes) = build(clones, flags) else {
            return skip("target clones", "the C compiler does not build them");
        };
        let isa = run(&bytes).unwrap().profile.isa;
        assert!(isa.may_use.contains(&"avx2".to_owned()), "{flags:?}: {isa:?}");
        assert!(isa.required.is_empty(), "{flags:?}: {isa:?}");
    }
}

#[test]
fn checksums_are_told_by_their_tables_and_words_and_other_code_by_none() {
    let table = "static unsigned t[256]; static const unsigned char box[16] = {
            0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 1, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76};
        int main(int n, char **a) {
            for (unsigned i = 0; i < 256; i++) {
                unsigned c = i;
                for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1;
                t[i] = c;
            }
            return t[n & 255] + box[n & 15]; }";
    // At higher levels the polynomial goes into a vector of constants.
    for flags in [&["-O1"][..], &["-O1", "-no-pie", "-fno-pie"], &["-O0"]] {
        let (Some(sums), Some(plain)) = (build(table, flags), build(MULTIPLY, &[flags, &["-DN=40"][..]].concat()))
        else {
            return skip("checksums_are_told", "there is no C compiler");
        };
        let found = |bytes: &[u8]| {
            let libraries = run(bytes).unwrap().profile.libraries;
            libraries.into_iter().filter(|library| library.starts_with("algorithm")).collect::<Vec<_>>()
        };
        assert_eq!(found(&sums), ["algorithm: AES", "algorithm: CRC-32"], "{flags:?}");
        assert!(found(&plain).is_empty(), "{flags:?}");
    }
}

/// An interpreter of four operations, the last of which is there `N` times over.
const GOTOS: &str = "
    #define M(n) &&l##n,
    #define T(n) l##n: sum += n; goto *labels[*code++];
    #define TEN(X, d) X(d##0) X(d##1) X(d##2) X(d##3) X(d##4) X(d##5) X(d##6) X(d##7) X(d##8) X(d##9)
    #define ALL(X) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) TEN(X, 6)
    int main(int argc, char **argv) {
        static const void *const labels[] = { ALL(M) &&end };
        const unsigned char *code = (const unsigned char *)argv[1];
        volatile int sum = 0;
        goto *labels[*code++];
        ALL(T)
        end: return sum;
    }";

/// Operations that return the next, as Perl's do.
const RESULTS: &str = "
    struct op { struct op *next; struct op *(*run)(struct op *); };
    __attribute__((noinline)) struct op *step(struct op *op) { return op->next; }
    __attribute__((noinline)) void each(struct op *op) { while ((op = op->run(op))); }
    int main(int n, char **a) { struct op last = {0, step}, first = {n > 1 ? &last : 0, step}; each(&first); return 0; }";

#[test]
fn an_interpreter_says_that_its_code_cannot_tell() {
    let says = |bytes: &[u8]| {
        let analysis = run(bytes).unwrap();
        let told = analysis.warnings.iter().any(|warning| warning.starts_with("an interpreter in"));
        assert!(!told || analysis.profile.input_dependent);
        told
    };
    // As a `switch` the same is a jump table, which a function may well have.
    let plain = "int main(int n, char **a) { switch (n) { case 1: return 7; case 2: return 9; case 3: return 1;
        case 4: return 3; case 5: return 8; case 6: return 2; default: return 0; } }";
    // A chain of causes is followed by what is returned, but called through what that points to.
    let chain = "struct error { const struct kind *kind; }; struct kind { void *more; struct error *(*cause)(struct error *); };
        __attribute__((noinline)) int depth(struct error *e) { int n = 0; while ((e = e->kind->cause(e))) n++; return n; }
        static struct error *none(struct error *e) { (void)e; return 0; }
        int main(int n, char **a) { struct kind k = {0, none}; struct error e = {&k}; return depth(&e); }";
    // Callbacks in a list are called one after the other, whatever they return.
    let list = "struct entry { struct entry *next; void (*call)(struct entry *); };
        __attribute__((noinline)) void each(struct entry *e) { for (; e; e = e->next) e->call(e); }
        static void nothing(struct entry *e) { (void)e; }
        int main(int n, char **a) { struct entry e = {0, nothing}; each(&e); return 0; }";
    for flags in [&["-O2", "-fPIE", "-pie"][..], &["-O2", "-fno-pie", "-no-pie"], &["-O2", "-static"]] {
        for (source, expected) in
            [(GOTOS, true), (RESULTS, true), (plain, false), (chain, false), (list, false), (MULTIPLY, false)]
        {
            let Some(bytes) = build(source, &[flags, &["-DN=40"][..]].concat()) else {
                return skip("an_interpreter_says", "there is no C compiler");
            };
            // The C library's own code, where it is linked in, interprets nothing.
            assert_eq!(says(&bytes), expected, "{flags:?} {source}");
        }
    }
}

#[test]
fn vectors_are_told_by_width() {
    let source = "double a[4096], b[4096];
        __attribute__((noinline)) void add(void) { for (int i = 0; i < 4096; i++) a[i] += 3 * b[i]; }
        int main(void) { add(); return 0; }";
    let wide = &["-march=skylake-avx512", "-mprefer-vector-width=512"];
    for (flags, bits) in [(&["-msse2"][..], 128), (&["-march=haswell"], 256), (wide, 512)] {
        let Some(bytes) = build(source, &[&["-O3"], flags].concat()) else {
            return skip("vectors_are_told_by_width", "there is no C compiler for x86-64");
        };
        let vectors = run(&bytes).unwrap().profile.ops.vectors_by_bits;
        let of = |bits: u32| vectors.get(&bits).map_or(0.0, |count| count.expected);
        // Two, four or eight numbers at a time, each loaded, computed and stored.
        let steps = 4096.0 / f64::from(bits / 64);
        assert!((2.0 * steps..8.0 * steps).contains(&of(bits)), "{flags:?}: {vectors:?}");
        let others = [128, 256, 512].into_iter().filter(|&other| other != bits);
        assert!(others.map(of).all(|count| count < steps / 8.0), "{flags:?}: {vectors:?}");
    }
}

#[test]
fn launchers_and_packed_programs_are_recognised() {
    let Some(plain) = build("int main(void) { return 0; }", &[]) else {
        return skip("launchers_and_packed_programs", "there is no C compiler");
    };
    let runtimes = |bytes: &[u8]| run(bytes).unwrap().native.unwrap().runtimes;
    assert!(runtimes(&plain).is_empty());
    // The cookie of an archive behind a program, as PyInstaller writes it: mark, sizes, places, version, name.
    let cookie = [&b"MEI\x0c\x0b\x0a\x0b\x0e"[..], &[0; 12], &311_u32.to_be_bytes(), &[0; 64]].concat();
    let packed = [&plain[..], &[0x78; 5000], &cookie].concat();
    assert_eq!(runtimes(&packed), ["PyInstaller"]);
    // What starts Java: linked against its launcher, or creating a machine itself.
    let java = "int JNI_CreateJavaVM(void **, void **, void *);
        int begin(void) { void *v, *e; return JNI_CreateJavaVM(&v, &e, 0); }";
    if let Some(launcher) = build(java, &["-shared", "-fPIC"]) {
        assert_eq!(runtimes(&launcher), ["Java launcher"]);
    }
}

#[test]
fn this_very_test_is_a_rust_program() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let analysis = run(&bytes).unwrap();
    let native = analysis.native.unwrap();
    assert_eq!((native.kind, native.linkage), (NativeKind::Program, Linkage::Dynamic));
    assert!(native.runtimes.contains(&"Rust".to_owned()), "{:?}", native.runtimes);
    assert!(native.needed.iter().any(|name| name.starts_with("libc.")), "{:?}", native.needed);
    if native.decoded {
        assert!(analysis.profile.ops.total.is_some());
        assert!(!analysis.profile.isa.required.contains(&"avx2".to_owned()), "memchr asks before it uses AVX2");
    }
}

#[test]
fn every_opcode_is_told_as_it_is_decoded() {
    let mut code = Vec::new();
    for (prefix, wide, escape) in [0_u8, 0x66, 0xf2, 0xf3]
        .into_iter()
        .flat_map(|prefix| [(prefix, false, false), (prefix, false, true), (prefix, true, false), (prefix, true, true)])
    {
        for opcode in 0..=255_u8 {
            for operands in (0..=255_u8).filter(|operands| matches!(operands & 7, 0 | 4 | 5)) {
                code.extend(Some(prefix).filter(|&prefix| prefix != 0));
                code.extend(wide.then_some(0x48));
                code.extend(escape.then_some(0x0f));
                // Behind it a byte that names a base, or none, and as many as an instruction can have that do nothing.
                code.extend([opcode, operands, if operands & 8 == 0 { 0x25 } else { 0x24 }]);
                code.extend([0x90; 15]);
            }
        }
    }
    check_shapes(&code);
}

fn a_real_program() -> Option<Vec<u8>> {
    ["/bin/true", "/usr/bin/true"]
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .filter(|b| b.starts_with(b"\x7fELF"))
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn random_code(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        analyze_code(&data);
    }

    #[test]
    fn random_branches(data in proptest::collection::vec((0..24_u8, any::<i8>()), 0..120)) {
        let code: Vec<u8> = data.into_iter().flat_map(|(kind, to)| match kind {
            0..=7 => vec![0x74 + (kind & 3), to as u8],
            8 => vec![0xeb, to as u8],
            9 => [&[0xe8][..], &i32::from(to).to_le_bytes()].concat(),
            10 => vec![0xc3],
            11 => vec![0xff, 0xe0],
            12 => vec![0xf3, 0xa4],
            13 => vec![0x83, 0xf8 | (to as u8 & 7), to as u8],
            14 => vec![0x48, 0x83, 0xc0 | (to as u8 & 7), to as u8],
            15 => vec![0x89, 0x44, 0x24, to as u8],
            16 => vec![0x8b, 0x4c, 0x24, to as u8],
            _ => vec![0x48 + (kind & 7), 0x01, 0xc0 | (to as u8 & 0x3f)],
        }).collect();
        analyze_code(&code);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn mutated_program(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), headers in any::<bool>()) {
        let Some(mut bytes) = a_real_program() else { return Ok(()) };
        let range = if headers { 1024 } else { bytes.len() };
        for (place, byte) in edits {
            bytes[4 + place.index(range - 4)] = byte;
        }
        analyze_bytes(&bytes);
    }

    #[test]
    fn truncated_program(keep in any::<prop::sample::Index>()) {
        let Some(bytes) = a_real_program() else { return Ok(()) };
        analyze_bytes(&bytes[..keep.index(bytes.len())]);
    }
}

#[test]
fn a_function_too_large_for_what_may_be_laid_out_is_counted_and_not_followed() {
    // `mov ecx, 1000`, so many times `xor eax, eax`, `dec ecx`, `jne`, `ret`.
    let counting = |instructions: usize| {
        let mut code = vec![0xb9, 0xe8, 0x03, 0, 0];
        code.extend([0x31, 0xc0].repeat(instructions));
        code.extend([0xff, 0xc9, 0x0f, 0x85]);
        code.extend((-(2 * instructions as i32 + 8)).to_le_bytes());
        code.push(0xc3);
        let analysis = run(&program(&code)).unwrap();
        let loops = analysis.regions.iter().filter(|region| region.kind == RegionKind::Loop).count();
        (analysis.profile.ops.total.unwrap(), loops)
    };
    let (small, loops) = counting(1_000);
    assert_eq!((small.low, small.high, loops), (1_002_002.0, 1_002_002.0, 1));
    let (large, loops) = counting(10_000);
    assert!(large.low < large.high && large.high > 10_000.0, "{large:?}");
    assert_eq!(loops, 1);
}

#[test]
fn a_run_that_begins_in_a_stub_is_told_nothing_of() {
    use object::{Object, ObjectSection};
    let Some(plain) = build("int puts(const char *); int main(void) { return puts(\"x\"); }", &[]) else {
        return skip("a_run_that_begins_in_a_stub", "there is no C compiler");
    };
    let file = object::File::parse(&*plain).unwrap();
    let stubs = file.sections().filter(|section| section.name().is_ok_and(|name| name.starts_with(".plt")));
    let entries: Vec<u64> =
        stubs.flat_map(|stubs| (stubs.address()..stubs.address() + stubs.size()).step_by(2)).collect();
    assert!(!entries.is_empty());
    for entry in entries {
        let mut forged = plain.clone();
        forged[24..32].copy_from_slice(&entry.to_le_bytes());
        analyze_bytes(&forged);
    }
}

#[test]
fn forged_headers_are_refused_or_ignored() {
    let plain = program(&[0xc3]);
    let forge = |at: usize, bytes: &[u8]| {
        let mut forged = plain.clone();
        forged[at..at + bytes.len()].copy_from_slice(bytes);
        forged
    };
    // Section headers beyond the file, in numbers beyond any file; program headers likewise.
    assert!(matches!(run(&forge(40, &[0xff; 8])), Err(AnalyzeError::Elf { .. })));
    assert!(matches!(run(&forge(56, &[0xff, 0xff])), Err(AnalyzeError::Elf { .. })));
    assert!(matches!(run(&forge(32, &[0xff; 8])), Err(AnalyzeError::Elf { .. })));
    assert!(matches!(run(&forge(4, &[9])), Err(AnalyzeError::Elf { .. })));
    assert!(matches!(run(&plain[..20]), Err(AnalyzeError::Elf { .. })));
    // A segment of all memory, at the last address.
    analyze_bytes(&forge(64 + 32, &[0xff; 16]));
    analyze_bytes(&forge(64 + 16, &[0xff; 8]));
    // Another machine is read, and said not to be decoded.
    let other = run(&forge(18, &[183, 0])).unwrap();
    assert!(!other.native.unwrap().decoded);
    assert!(other.warnings.iter().any(|warning| warning.contains("aarch64 is not decoded")), "{:?}", other.warnings);
}

#[test]
fn code_made_to_hurt_is_bounded() {
    // A ladder of branches to one end; loops that nest; one loop left in a hundred thousand ways.
    let ladder = [0x0f, 0x84, 0, 0, 0, 0].repeat(200_000);
    let nest: Vec<u8> = (1..60_000_i32).flat_map(|n| [&[0x0f, 0x85][..], &(-6 * n).to_le_bytes()].concat()).collect();
    let many = 100_000_i32;
    let mut exits: Vec<u8> =
        (0..many).flat_map(|n| [&[0x0f, 0x84][..], &(6 * (many - n - 1) + 5 + n).to_le_bytes()].concat()).collect();
    exits.extend([&[0xe9][..], &(-6 * many - 5).to_le_bytes()].concat());
    exits.extend(vec![0xc3; many as usize]);
    let calls = [0xe8, 0xfb, 0xff, 0xff, 0xff].repeat(100_000);
    let chain = [0xe8, 0, 0, 0, 0].repeat(100_000);
    for code in [ladder, nest, exits, calls, chain, vec![0xf3; 1 << 20], vec![0; 1 << 20]] {
        let ended = [&code[..], &[0xc3]].concat();
        assert!(run(&program(&ended)).unwrap().profile.ops.total.is_some());
    }
}

#[test]
fn shapes_tell_what_decoding_tells() {
    // Code, and data that is none.
    check_shapes(&std::fs::read(std::env::current_exe().unwrap()).unwrap());
    a_real_program().iter().for_each(|bytes| check_shapes(bytes));
}
