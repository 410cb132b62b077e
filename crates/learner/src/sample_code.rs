//! Made-up code for the tests of this crate's library, which alone learn from what code is.

use std::collections::BTreeMap;

use forewarm_types::demand::{CompileDemand, DemandProfile, IsaDemand, MemoryDemand, Parallelism, ParallelismKind};
use forewarm_types::{Analysis, Basis, Bytes, CodeInfo, CodeKind, Digest, Estimate, OpClass, OpMix};

/// A module of so much code, in which a thousand million operators are executed.
pub fn analysis(code_bytes: u64) -> Analysis {
    let ops = OpMix {
        total: Some(Estimate::exact(1e9, Basis::Static)),
        classes: BTreeMap::from([(OpClass::IntAlu, Estimate::exact(1e9, Basis::Static))]),
        ..OpMix::default()
    };
    Analysis {
        code: CodeInfo {
            digest: Digest([1; 32]),
            kind: CodeKind::WasmModule,
            size_bytes: Bytes(2 * code_bytes),
            entry: "_start".to_owned(),
        },
        profile: DemandProfile {
            ops,
            memory: MemoryDemand {
                initial_bytes: Bytes(1 << 20),
                maximum_bytes: None,
                peak_bytes: None,
                traffic_bytes: None,
                ..MemoryDemand::default()
            },
            parallelism: Parallelism { kind: ParallelismKind::Serial, max_useful_threads: None },
            io: vec![],
            libraries: vec![],
            isa: IsaDemand::default(),
            contention: vec![],
            compile: CompileDemand { code_bytes: Bytes(code_bytes), ..CompileDemand::default() },
            input_dependent: false,
        },
        regions: vec![],
        warnings: vec![],
        native: None,
        python: None,
        seconds: 0.0,
    }
}
