//! Full validation, in the pass that decodes. The engine does the same when it compiles; this is for `analyze`.

use wasmparser::{FuncToValidate, Payload, ValidPayload, Validator, ValidatorResources, WasmFeatures};

use super::features::runnable;
use super::module::Module;
use crate::error::AnalyzeError;

/// What the bodies of a module are validated against.
#[derive(Clone)]
pub(crate) struct Check {
    resources: ValidatorResources,
    features: WasmFeatures,
}

impl Check {
    /// A function of the module, to be validated.
    pub(super) fn function(&self, module: &Module<'_>, function: u32) -> FuncToValidate<ValidatorResources> {
        let ty = module.functions.get(function as usize).copied().unwrap_or_default();
        FuncToValidate { resources: self.resources.clone(), index: function, ty, features: self.features }
    }
}

/// Validates everything but function bodies, as sections are parsed.
pub(super) struct Sections(Validator);

impl Sections {
    pub(super) fn new() -> Self {
        Self(Validator::new_with_features(runnable()))
    }

    /// Takes the next part of the file; of a function body, what it is to be validated against.
    ///
    /// # Errors
    /// [`AnalyzeError::Invalid`] where it does not validate.
    pub(super) fn take(&mut self, payload: &Payload<'_>) -> Result<Option<Check>, AnalyzeError> {
        match self.0.payload(payload)? {
            ValidPayload::Func(function, _) => {
                Ok(Some(Check { resources: function.resources, features: function.features }))
            }
            _ => Ok(None),
        }
    }
}
