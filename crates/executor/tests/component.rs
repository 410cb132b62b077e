//! Components: real ones, made from preview-1 modules with the engine's own adapter.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod common;

use std::sync::Arc;

use common::{Program, configuration, executor, warm};
use forewarm_executor::wasm::{Engine, EngineSettings};
use forewarm_executor::{Invocation, WarmError};
use forewarm_sandbox::RealClock;
use forewarm_types::plan::TrialLimits;
use forewarm_types::{CodeKind, ExitCause, IsaLevel, Rung, Step, Tier};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

/// A command component whose `_start` does what the body says.
fn command(body: &str) -> Program {
    let module = wat::parse_str(format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "\80\00\00\00\05\00\00\00")
        (func (export "_start") {body}))"#
    ));
    let encoder = ComponentEncoder::default().module(&module.unwrap()).unwrap();
    let encoder = encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER);
    Program::component(encoder.unwrap().encode().unwrap())
}

#[test]
fn a_command_component_ends_as_it_ends() {
    let rows = [
        ("", ExitCause::Exited, 0),
        ("(call $exit (i32.const 0))", ExitCause::Exited, 0),
        // The interface tells only success from failure.
        ("(call $exit (i32.const 3))", ExitCause::Exited, 1),
        ("unreachable", ExitCause::Trap, 134),
    ];
    for tier in [Tier::Winch, Tier::Cranelift] {
        for (body, cause, code) in rows {
            let outcome = warm(tier, &mut command(body), &Invocation::detached("test.wasm")).unwrap().run();
            assert_eq!((outcome.exit.cause, outcome.exit.code), (cause, code), "{tier} {body}: {:?}", outcome.exit);
        }
    }
}

#[test]
fn a_components_artifact_is_kept_and_mapped() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let mut program = command("");
    let mut first_step = |prepare: bool| {
        let lease = executor(Some(&cache)).allocate(&configuration(Tier::Winch, Rung::Artifact)).unwrap();
        if prepare {
            return lease.prepare(&mut program).unwrap()[0].step;
        }
        let ready = lease.warm(&mut program, &Invocation::detached("test.wasm")).unwrap();
        let step = ready.steps()[0].step;
        assert_eq!(ready.run().exit.code, 0);
        step
    };
    assert_eq!(first_step(true), Step::Compile);
    assert_eq!(first_step(false), Step::Map);
}

fn check_refused(source: &str, expected: &str) {
    let mut program = Program::component(wat::parse_str(source).unwrap());
    let error = warm(Tier::Winch, &mut program, &Invocation::detached("test.wasm")).err().unwrap();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_a_component_lacks_is_named() {
    let strange = r#"(component (import "my:own/world@1.0.0" (instance (export "f" (func))))
        (import "wasi:http/types@0.2.0" (instance (export "g" (func)))))"#;
    check_refused(strange, "missing imports: my:own/world@1.0.0, wasi:http/types@0.2.0");
    check_refused("(component)", "no exported function \"wasi:cli/run\"");
}

#[test]
fn bytes_that_are_no_component_are_invalid() {
    let mut program = Program::component(b"\0asm\x0d\0\x01\0\xff\xff".to_vec());
    let error = warm(Tier::Winch, &mut program, &Invocation::detached("test.wasm")).err().unwrap();
    assert!(matches!(error, WarmError::Invalid(_)), "{error}");
}

#[test]
fn a_trial_of_a_component_counts_and_stops() {
    let settings = EngineSettings { tier: Tier::Winch, isa: IsaLevel::Native, metered: true, threads: 1 };
    let engine = Engine::new(settings, Arc::new(RealClock)).unwrap();
    let trial = |body: &str| {
        let (code, _) = engine.compile(&command(body).bytes, CodeKind::WasmComponent).unwrap();
        engine.trial(&code, &Invocation::detached("test.wasm"), TrialLimits::of(1_000_000, 20.0)).unwrap()
    };
    let complete = trial("");
    assert!(complete.complete && complete.ops > 0, "{complete:?}");
    let endless = trial("(loop $forever (br $forever))");
    assert_eq!(endless.stopped_by.as_deref(), Some("operator budget"));
    let reading = trial("(drop (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 32)))");
    assert_eq!(reading.stopped_by.as_deref(), Some("reads standard input"));
}
