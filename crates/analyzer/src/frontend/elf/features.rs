//! Instruction-set features beyond the x86-64 baseline, as bits, and the names they have.
//!
//! Names are those of Rust's `is_x86_feature_detected`, where it has one. The baseline is that of the x86-64 psABI,
//! section 3.1.1: CMOV, CX8, FPU, FXSR, MMX, OSFXSR, SCE, SSE, SSE2. Left out besides: instructions that older
//! processors run as no operation (`endbr64`, `rdssp`, `pause`, `prefetchw`), and `tzcnt`, which they run as the `bsf`
//! that GCC means by it.

use iced_x86::{Code, CpuidFeature as F, Mnemonic};

/// Features by bit number.
const FEATURES: [(F, &str); 63] = [
    (F::SSE3, "sse3"),
    (F::SSSE3, "ssse3"),
    (F::SSE4_1, "sse4.1"),
    (F::SSE4_2, "sse4.2"),
    (F::POPCNT, "popcnt"),
    (F::CMPXCHG16B, "cmpxchg16b"),
    (F::AVX, "avx"),
    (F::AVX2, "avx2"),
    (F::BMI1, "bmi1"),
    (F::BMI2, "bmi2"),
    (F::F16C, "f16c"),
    (F::FMA, "fma"),
    (F::LZCNT, "lzcnt"),
    (F::MOVBE, "movbe"),
    (F::XSAVE, "xsave"),
    (F::XSAVEC, "xsavec"),
    (F::XSAVEOPT, "xsaveopt"),
    (F::AVX512F, "avx512f"),
    (F::AVX512BW, "avx512bw"),
    (F::AVX512CD, "avx512cd"),
    (F::AVX512DQ, "avx512dq"),
    (F::AVX512VL, "avx512vl"),
    (F::AVX512_IFMA, "avx512ifma"),
    (F::AVX512_VBMI, "avx512vbmi"),
    (F::AVX512_VBMI2, "avx512vbmi2"),
    (F::AVX512_VNNI, "avx512vnni"),
    (F::AVX512_BITALG, "avx512bitalg"),
    (F::AVX512_VPOPCNTDQ, "avx512vpopcntdq"),
    (F::AVX512_BF16, "avx512bf16"),
    (F::AVX512_FP16, "avx512fp16"),
    (F::AVX512_VP2INTERSECT, "avx512vp2intersect"),
    (F::AVX_VNNI, "avxvnni"),
    (F::AVX_IFMA, "avxifma"),
    (F::AVX_VNNI_INT8, "avxvnniint8"),
    (F::AVX_VNNI_INT16, "avxvnniint16"),
    (F::AVX_NE_CONVERT, "avxneconvert"),
    (F::AES, "aes"),
    (F::VAES, "vaes"),
    (F::PCLMULQDQ, "pclmulqdq"),
    (F::VPCLMULQDQ, "vpclmulqdq"),
    (F::SHA, "sha"),
    (F::SHA512, "sha512"),
    (F::SM3, "sm3"),
    (F::SM4, "sm4"),
    (F::GFNI, "gfni"),
    (F::ADX, "adx"),
    (F::RDRAND, "rdrand"),
    (F::RDSEED, "rdseed"),
    (F::RDTSCP, "rdtscp"),
    (F::FSGSBASE, "fsgsbase"),
    (F::RTM, "rtm"),
    (F::AMX_TILE, "amx-tile"),
    (F::AMX_BF16, "amx-bf16"),
    (F::AMX_INT8, "amx-int8"),
    (F::AMX_FP16, "amx-fp16"),
    (F::SSE4A, "sse4a"),
    (F::FMA4, "fma4"),
    (F::XOP, "xop"),
    (F::TBM, "tbm"),
    (F::MOVDIR64B, "movdir64b"),
    (F::WAITPKG, "waitpkg"),
    (F::CLFLUSHOPT, "clflushopt"),
    (F::CLWB, "clwb"),
];

/// The features an instruction needs, as bits.
pub(crate) fn of(code: Code) -> u64 {
    if code.mnemonic() == Mnemonic::Tzcnt {
        return 0;
    }
    let bit = |feature: &F| FEATURES.iter().position(|known| known.0 == *feature).map_or(0, |at| 1_u64 << at);
    code.cpuid_features().iter().map(bit).fold(0, |set, bit| set | bit)
}

/// The bit of a feature by name, 0 for one that is not known.
pub(crate) fn named(name: &str) -> u64 {
    FEATURES.iter().position(|known| known.1 == name).map_or(0, |at| 1 << at)
}

/// What each micro-architecture level of the psABI (section 3.1.1) adds.
pub(crate) const LEVELS: [(u32, &str, &[&str]); 3] = [
    (super::image::ISA_V2, "x86-64-v2", &["cmpxchg16b", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"]),
    (super::image::ISA_V3, "x86-64-v3", &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave"]),
    (super::image::ISA_V4, "x86-64-v4", &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]),
];

/// The names of a set of features, in order.
pub(crate) fn names(set: u64) -> Vec<String> {
    let mut out: Vec<String> =
        (0..FEATURES.len()).filter(|at| set >> at & 1 != 0).map(|at| FEATURES[at].1.to_owned()).collect();
    out.sort();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_has_no_bits() {
        assert_eq!(of(Code::Addpd_xmm_xmmm128) | of(Code::Endbr64) | of(Code::Tzcnt_r32_rm32) | of(Code::Cpuid), 0);
        assert_eq!(names(of(Code::VEX_Vpaddd_ymm_ymm_ymmm256)), ["avx2"]);
        assert_eq!(names(of(Code::EVEX_Vpaddd_ymm_k1z_ymm_ymmm256b32)), ["avx512f", "avx512vl"]);
        assert_eq!(named("bmi2"), of(Code::VEX_Shlx_r32_rm32_r32));
    }
}
