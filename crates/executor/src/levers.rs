//! What a process is told through its environment: threads, instruction sets and pages of its libraries.
//!
//! The plan's settings become variables here; what the user has set stays as it is. Called where a process is started, and
//! where one is kept warm.

use std::ffi::OsString;

use forewarm_types::{IsaCeiling, ProcessSettings};

/// Variables by which libraries are told how many threads to use: OpenMP 5.2 section 21.1.2, the manuals of OpenBLAS and
/// Intel MKL, `rayon`, the Go runtime, `numexpr`.
const THREADS: [&str; 6] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "GOMAXPROCS",
    "NUMEXPR_MAX_THREADS",
];

/// The kernels OpenBLAS is told to use: names of its `DYNAMIC_ARCH` targets (its README, "Environment variables").
const BLAS: &str = "OPENBLAS_CORETYPE";

/// Features numpy is told not to use: numpy reference, "Runtime dispatch", `NPY_DISABLE_CPU_FEATURES`. What a processor or
/// a build lacks is passed over.
const NUMPY: &str = "NPY_DISABLE_CPU_FEATURES";
const NUMPY_ABOVE_V3: &str =
    "AVX512F AVX512CD AVX512_KNL AVX512_KNM AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4";
const NUMPY_V3: &str = "AVX F16C FMA3 AVX2 X86_V3";

/// The C library's levers: the GNU C Library manual, "Tunables". Names separated by colons.
const TUNABLES: &str = "GLIBC_TUNABLES";
/// Features its own string functions are told not to use ("Hardware Capability Tunables").
const LIBC_ABOVE_V3: &str = "-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD,-EVEX";
const LIBC_V3: &str = "-AVX2,-AVX,-FMA,-BMI2,-BMI1,-LZCNT,-MOVBE";
/// Large pages behind what `malloc` gets from the system, by `madvise` ("Memory Allocation Tunables").
const LARGE_PAGES: &str = "glibc.malloc.hugetlb=1";

/// Variables for the settings, without those that are set.
#[must_use]
pub fn variables(settings: &ProcessSettings, environment: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let threads = settings.library_threads.map(|threads| threads.to_string());
    let threads = threads.iter().flat_map(|threads| THREADS.map(|name| (name, threads.clone())));
    let ceiling = settings.isa_ceiling.into_iter().flat_map(|ceiling| {
        let (kernels, features) = match ceiling {
            IsaCeiling::V3 => ("Haswell", NUMPY_ABOVE_V3.to_owned()),
            IsaCeiling::V2 => ("Nehalem", format!("{NUMPY_V3} {NUMPY_ABOVE_V3}")),
        };
        [(BLAS, kernels.to_owned()), (NUMPY, features)]
    });
    let tunables = tunables(settings);
    let tunables = (!tunables.is_empty()).then(|| (TUNABLES, tunables.join(":")));
    let all = threads.chain(ceiling).chain(tunables);
    let unset = all.filter(|(wanted, _)| !environment.iter().any(|(name, _)| name == wanted));
    unset.map(|(name, value)| (name.into(), value.into())).collect()
}

fn tunables(settings: &ProcessSettings) -> Vec<String> {
    let features = settings.isa_ceiling.map(|ceiling| match ceiling {
        IsaCeiling::V3 => format!("glibc.cpu.hwcaps={LIBC_ABOVE_V3}"),
        IsaCeiling::V2 => format!("glibc.cpu.hwcaps={LIBC_V3},{LIBC_ABOVE_V3}"),
    });
    features.into_iter().chain(settings.large_pages.then(|| LARGE_PAGES.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings: ProcessSettings, environment: &[(&str, &str)]) -> Vec<(String, String)> {
        let text = |text: OsString| text.into_string().unwrap();
        let given: Vec<_> = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        variables(&settings, &given).into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn what_the_user_set_stays() {
        let two = ProcessSettings { library_threads: Some(2), ..ProcessSettings::default() };
        let told = told(two, &[("OMP_NUM_THREADS", "7")]);
        assert_eq!(told.len(), THREADS.len() - 1);
        assert!(told.iter().all(|(name, value)| name != "OMP_NUM_THREADS" && value == "2"));
    }

    #[test]
    fn settings_that_say_nothing_tell_nothing() {
        assert!(told(ProcessSettings::default(), &[]).is_empty());
    }

    #[test]
    fn the_c_library_is_told_all_of_it_in_one_variable() {
        let settings =
            ProcessSettings { isa_ceiling: Some(IsaCeiling::V2), large_pages: true, ..ProcessSettings::default() };
        let told = told(settings, &[]);
        let value = |wanted: &str| told.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        assert!(value(TUNABLES).ends_with(":glibc.malloc.hugetlb=1") && value(TUNABLES).contains("-AVX2"));
        assert_eq!(value(BLAS), "Nehalem");
        assert!(value(NUMPY).contains("AVX2") && value(NUMPY).contains("AVX512F"));
    }
}
