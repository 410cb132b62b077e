//! Machines that are not this one: their calibrations kept beside this machine's, and plans priced on them too.

use forewarm_planner::{Belief, Inputs, elsewhere};
use forewarm_resources::inventory::HERE;
use forewarm_resources::{ResourceModel, defaults};
use forewarm_store::Store;
use forewarm_types::{Counts, Plan};

use crate::Orchestrator;
use crate::decide::LISTED;
use crate::error::Error;
use crate::request::Request;

impl Orchestrator {
    /// Keeps a model exported on another machine as a node of that name, beside this machine's.
    ///
    /// # Errors
    /// Where the name is empty or means this machine, or nothing can be stored.
    pub fn import_node(&self, name: &str, model: &ResourceModel) -> Result<(), Error> {
        if name.trim().is_empty() || name == HERE {
            return Err(Error::Usage {
                message: format!("{name:?} cannot name another machine"),
                hint: Some(format!("{HERE:?} means this one; without --node its own figures are replaced")),
            });
        }
        let mut model = forewarm_resources::without_defaults(model.clone());
        name.clone_into(&mut model.inventory.node);
        let text = serde_json::to_string(&model).map_err(|error| Error::Internal(error.to_string()))?;
        self.memory.settle();
        self.stored("the node cannot be stored", |store| store.set_node(name, &text))
    }

    /// Forgets a node.
    ///
    /// # Errors
    /// Where there is none of that name, or the database cannot be written.
    pub fn forget_node(&self, name: &str) -> Result<(), Error> {
        let known =
            self.memory.is_open() && self.stored("the node cannot be forgotten", |store| store.forget_node(name))?;
        if known {
            return Ok(());
        }
        Err(Error::Usage {
            message: format!("there is no node {name:?}"),
            hint: Some("forewarm resources lists the nodes that are known".into()),
        })
    }

    /// The nodes that are known beside this machine, by name; defaults stand in for what was not measured there.
    #[must_use]
    pub fn nodes(&self) -> Vec<ResourceModel> {
        let stored = self.memory.recall(Store::nodes).unwrap_or_default();
        let read = |(name, text): (String, String)| match serde_json::from_str::<ResourceModel>(&text) {
            Ok(model) => Some(forewarm_resources::merge(defaults::model(model.inventory.clone()), &model)),
            Err(error) => {
                self.memory.warn(format!("the figures of node {name} cannot be read: {error}"));
                None
            }
        };
        stored.into_iter().filter_map(read).collect()
    }

    /// Prices a run on every other node that is known, and lists its best candidates there among those of the plan.
    pub(crate) fn price_elsewhere(
        &self,
        plan: &mut Plan,
        (belief, counts): (Option<&Belief>, Option<&Counts>),
        inputs: &Inputs<'_>,
        request: &Request,
    ) {
        for node in self.nodes() {
            let priced = price_on(&node, plan, (belief, counts), inputs, request);
            match priced {
                Ok(there) => elsewhere::list(plan, there),
                Err(error) => plan.assumptions.push(format!("node {}: {error}", node.inventory.node)),
            }
        }
    }
}

/// The plan that a node would be given.
fn price_on(
    node: &ResourceModel,
    plan: &Plan,
    (belief, counts): (Option<&Belief>, Option<&Counts>),
    inputs: &Inputs<'_>,
    request: &Request,
) -> Result<Plan, forewarm_planner::ChooseError> {
    // What a second is worth here it is worth there, so that the sums can be compared, of `cost-time` too.
    let (objective, weights) = (request.objective, plan.weights);
    let Some(belief) = belief else {
        let corrections = elsewhere::process_corrections(plan, inputs, node);
        let there = elsewhere::inputs(inputs, node, &corrections);
        return forewarm_planner::plan_process(&there, objective, Some(weights), LISTED);
    };
    let corrections = elsewhere::corrections(belief, inputs, node, counts);
    let there = forewarm_planner::believe(&elsewhere::inputs(inputs, node, &corrections));
    let candidates = forewarm_planner::candidates(&there, &weights);
    forewarm_planner::choose(&there, candidates, objective, weights, LISTED)
}
