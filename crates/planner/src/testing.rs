//! Programs and machines for the tests of this crate.

use std::collections::BTreeMap;

use forewarm_resources::{ResourceModel, defaults, inventory};
use forewarm_types::demand::{
    CompileDemand, DemandProfile, IsaDemand, MemoryDemand, OpMix, Parallelism, ParallelismKind,
};
use forewarm_types::{
    Analysis, Basis, Bytes, CodeInfo, CodeKind, Corrections, Digest, Estimate, Features, IsaLevel, Load, Objective,
    Plan, Tier, Weights,
};

use crate::{AbsentFiles, Belief, ChooseError, Constraints, Inputs, believe, candidates, choose, weights};

/// A planning problem with everything owned.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub analysis: Analysis,
    pub resources: ResourceModel,
    pub corrections: Corrections,
    pub features: Features,
    pub standing: Vec<(Tier, IsaLevel)>,
    pub constraints: Constraints,
    pub load: Load,
    pub absent: AbsentFiles,
}

impl Problem {
    /// A serial program of so many bytes of code on the default model of a two-core machine, seen for the first time.
    pub fn new(code_bytes: u64, ops: Option<Estimate>) -> Self {
        Self {
            analysis: analysis(code_bytes, ops),
            resources: defaults::model(inventory::unknown(2)),
            corrections: Corrections::default(),
            features: Features::default(),
            standing: Vec::new(),
            constraints: Constraints { persist: true, ..Constraints::default() },
            load: Load::default(),
            absent: AbsentFiles::default(),
        }
    }

    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            analysis: &self.analysis,
            resources: &self.resources,
            corrections: &self.corrections,
            features: &self.features,
            standing: &self.standing,
            file_known: false,
            load: self.load,
            absent: self.absent,
            constraints: self.constraints,
            spent_seconds: 0.001,
            smaller_inputs: false,
            timing: true,
        }
    }

    pub fn believe(&self) -> Belief {
        believe(&self.inputs())
    }

    pub fn plan_by(&self, weights: Weights) -> Result<Plan, ChooseError> {
        let belief = self.believe();
        choose(&belief, candidates(&belief, &weights), Objective::Latency, weights, 20)
    }

    pub fn plan_for(&self, objective: Objective) -> Result<Plan, ChooseError> {
        let belief = self.believe();
        let weights = crate::weights_of_run(objective, &belief);
        choose(&belief, candidates(&belief, &weights), objective, weights, 20)
    }

    pub fn plan(&self) -> Plan {
        self.plan_by(weights(Objective::Latency)).unwrap()
    }

    pub fn tier(&self) -> Tier {
        self.plan().chosen.configuration.cpu().unwrap().tier
    }

    /// The program's run as observed on a tier, exactly.
    pub fn observed(mut self, tier: Tier, seconds: f64) -> Self {
        self.corrections.run_cpu_seconds.insert(tier, Estimate::exact(seconds, Basis::Observed));
        self
    }

    /// No further run to be expected, so that only this one counts.
    pub fn once(mut self) -> Self {
        self.corrections.expected_reuses = Some(Estimate::exact(0.0, Basis::Observed));
        self
    }
}

pub(crate) fn spread(low: f64, high: f64) -> Option<Estimate> {
    Some(Estimate::new(low, (low * high).sqrt(), high, Basis::Static))
}

pub(crate) fn exactly(ops: f64) -> Option<Estimate> {
    Some(Estimate::exact(ops, Basis::Static))
}

pub(crate) fn analysis(code_bytes: u64, ops: Option<Estimate>) -> Analysis {
    Analysis {
        code: CodeInfo {
            digest: Digest([1; 32]),
            kind: CodeKind::WasmModule,
            size_bytes: Bytes(code_bytes + code_bytes / 10),
            entry: "_start".into(),
        },
        profile: DemandProfile {
            ops: OpMix { total: ops, ..OpMix::default() },
            memory: MemoryDemand {
                initial_bytes: Bytes(1 << 20),
                maximum_bytes: None,
                peak_bytes: None,
                traffic_bytes: None,
                ..MemoryDemand::default()
            },
            parallelism: Parallelism { kind: ParallelismKind::Serial, max_useful_threads: None },
            io: Vec::new(),
            libraries: Vec::new(),
            isa: IsaDemand::default(),
            contention: Vec::new(),
            compile: CompileDemand {
                code_bytes: Bytes(code_bytes),
                functions: (code_bytes / 500).max(1),
                largest_function_bytes: Bytes(code_bytes / 50),
                unsupported: BTreeMap::new(),
            },
            input_dependent: true,
        },
        regions: Vec::new(),
        warnings: Vec::new(),
        native: None,
        python: None,
        seconds: 0.0,
    }
}
