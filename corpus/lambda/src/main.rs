//! A function on the `lambda_runtime` crate: sums numbers, says which call of its process this is, fails when told to.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

static CALLS: AtomicU64 = AtomicU64::new(0);

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let call = CALLS.fetch_add(1, Relaxed) + 1;
    // What a function logs: a line on standard error.
    writeln!(io::stderr(), "call {call} of {}", event.context.env_config.function_name)?;
    if let Some(why) = event.payload["fail"].as_str() {
        return Err(why.into());
    }
    let numbers = event.payload["numbers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum: f64 = numbers.iter().filter_map(Value::as_f64).sum();
    Ok(json!({
        "sum": sum,
        "call": call,
        "request_id_length": event.context.request_id.len(),
        "memory_megabytes": event.context.env_config.memory,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
