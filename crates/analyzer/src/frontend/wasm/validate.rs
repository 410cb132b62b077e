//! Full validation, function bodies in parallel. The engine does the same when it compiles; this is for `analyze`.

use rayon::prelude::*;
use wasmparser::{BinaryReaderError, FuncValidatorAllocations, Parser, ValidPayload, Validator};

use super::features::runnable;
use crate::error::AnalyzeError;

/// Validates a module or component against every proposal some tier can run.
///
/// # Errors
/// [`AnalyzeError::Invalid`] with the first offence by offset, whatever order the threads ran in.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), AnalyzeError> {
    let mut validator = Validator::new_with_features(runnable());
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let ValidPayload::Func(function, body) = validator.payload(&payload?)? {
            bodies.push((function, body));
        }
    }
    let first = bodies
        .into_par_iter()
        .map_init(FuncValidatorAllocations::default, |allocations, (function, body)| {
            let mut validator = function.into_validator(std::mem::take(allocations));
            let result = validator.validate(&body);
            *allocations = validator.into_allocations();
            result.err()
        })
        .flatten()
        .min_by_key(BinaryReaderError::offset);
    first.map_or(Ok(()), |error| Err(error.into()))
}
