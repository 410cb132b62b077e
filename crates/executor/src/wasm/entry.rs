//! Where a program begins: its entry point found, its arguments read, its results written as text.

use wasmtime::component::{self, ComponentExportIndex};
use wasmtime::{ExternType, Func, FuncType, Module, Store, Val, ValType};
use wasmtime_wasi::I32Exit;

use super::Code;
use super::host::Host;
use super::link::Instance;
use crate::error::WarmError;
use crate::invocation::Invocation;

/// The export a command begins at: WASI application ABI.
const COMMAND: &str = "_start";
/// The export that readies a reactor before any other is called: WASI application ABI.
const REACTOR: &str = "_initialize";
/// The interface a command component exports, and the world's version linked.
const RUN: &str = "wasi:cli/run@0.2.";

/// What to call in an instance.
pub(crate) enum Entry {
    /// A core function, after the reactor's initialiser where there is one.
    Core { name: String, arguments: Vec<Val>, results: usize, initialize: bool },
    /// `run` of a command component.
    Run(ComponentExportIndex),
}

impl Entry {
    /// Finds the entry point an invocation asks for.
    pub(crate) fn find(engine: &wasmtime::Engine, code: &Code, invocation: &Invocation) -> Result<Self, WarmError> {
        match (code, &invocation.invoke) {
            (Code::Module(module), Some(name)) => Self::invoke(module, name, &invocation.arguments),
            (Code::Module(module), None) => match function(module, COMMAND) {
                Some(ty) if ty.params().len() == 0 && ty.results().len() == 0 => {
                    let name = COMMAND.to_owned();
                    Ok(Self::Core { name, arguments: Vec::new(), results: 0, initialize: false })
                }
                Some(_) => Err(WarmError::Invalid(format!("{COMMAND:?} takes parameters or returns results"))),
                None => Err(no_entry(module, COMMAND)),
            },
            (Code::Component(component), None) => {
                let ty = component.component_type();
                let run = ty.exports(engine).map(|(name, _)| name.to_owned()).find(|name| name.starts_with(RUN));
                let index = run.and_then(|name| {
                    let instance = component.get_export_index(None, &name)?;
                    component.get_export_index(Some(&instance), "run")
                });
                index.map(Self::Run).ok_or_else(|| WarmError::NoEntry {
                    name: "wasi:cli/run".to_owned(),
                    exports: ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
                })
            }
            (Code::Component(_), Some(_)) => Err(WarmError::Arguments(
                "--invoke calls exports of core modules; a component is run through wasi:cli/run".to_owned(),
            )),
        }
    }

    fn invoke(module: &Module, name: &str, arguments: &[String]) -> Result<Self, WarmError> {
        let ty = function(module, name).ok_or_else(|| no_entry(module, name))?;
        Ok(Self::Core {
            name: name.to_owned(),
            arguments: values(name, &ty, arguments)?,
            results: ty.results().len(),
            initialize: name != REACTOR && function(module, REACTOR).is_some(),
        })
    }

    /// Calls it, and returns its results as text.
    pub(crate) async fn call(&self, store: &mut Store<Host>, instance: Instance) -> wasmtime::Result<Vec<String>> {
        match (self, instance) {
            (Self::Core { name, arguments, results, initialize }, Instance::Module(instance)) => {
                if *initialize {
                    exported(&instance, store, REACTOR)?.call_async(&mut *store, &[], &mut []).await?;
                }
                let function = exported(&instance, store, name)?;
                let mut values = vec![Val::I32(0); *results];
                function.call_async(&mut *store, arguments, &mut values).await?;
                Ok(values.iter().map(text).collect())
            }
            (Self::Run(index), Instance::Component(instance)) => {
                call_run(store, &instance, index).await?.map_err(|()| I32Exit(1))?;
                Ok(Vec::new())
            }
            _ => Err(wasmtime::Error::msg("an entry point of another kind of code")),
        }
    }
}

async fn call_run(
    store: &mut Store<Host>,
    instance: &component::Instance,
    index: &ComponentExportIndex,
) -> wasmtime::Result<Result<(), ()>> {
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, index)?;
    let (result,) = run.call_async(&mut *store, ()).await?;
    Ok(result)
}

fn exported(instance: &wasmtime::Instance, store: &mut Store<Host>, name: &str) -> wasmtime::Result<Func> {
    instance.get_func(&mut *store, name).ok_or_else(|| wasmtime::Error::msg(format!("no exported function {name:?}")))
}

fn function(module: &Module, name: &str) -> Option<FuncType> {
    match module.get_export(name)? {
        ExternType::Func(ty) => Some(ty),
        _ => None,
    }
}

fn no_entry(module: &Module, name: &str) -> WarmError {
    let functions = module.exports().filter(|export| matches!(export.ty(), ExternType::Func(_)));
    WarmError::NoEntry { name: name.to_owned(), exports: functions.map(|export| export.name().to_owned()).collect() }
}

/// The arguments of a call, read by the function's parameter types as `wasmtime run --invoke` reads them.
fn values(name: &str, ty: &FuncType, arguments: &[String]) -> Result<Vec<Val>, WarmError> {
    if ty.params().len() != arguments.len() {
        let (wanted, given) = (ty.params().len(), arguments.len());
        return Err(WarmError::Arguments(format!("{name:?} takes {wanted} arguments, {given} were given")));
    }
    ty.params().zip(arguments).map(|(ty, argument)| value(&ty, argument)).collect()
}

fn value(ty: &ValType, text: &str) -> Result<Val, WarmError> {
    let unfit = |cause: String| WarmError::Arguments(format!("argument {text:?} is no {ty}: {cause}"));
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    Ok(match ty {
        ValType::I32 => Val::I32(match hexadecimal {
            Some(digits) => i32::from_str_radix(digits, 16).map_err(|error| unfit(error.to_string()))?,
            None => text.parse().map_err(|error: std::num::ParseIntError| unfit(error.to_string()))?,
        }),
        ValType::I64 => Val::I64(match hexadecimal {
            Some(digits) => i64::from_str_radix(digits, 16).map_err(|error| unfit(error.to_string()))?,
            None => text.parse().map_err(|error: std::num::ParseIntError| unfit(error.to_string()))?,
        }),
        ValType::F32 => Val::F32(text.parse::<f32>().map_err(|error| unfit(error.to_string()))?.to_bits()),
        ValType::F64 => Val::F64(text.parse::<f64>().map_err(|error| unfit(error.to_string()))?.to_bits()),
        _ => return Err(unfit("only i32, i64, f32 and f64 can be given on a command line".to_owned())),
    })
}

/// A result as `wasmtime run --invoke` prints it.
fn text(value: &Val) -> String {
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(bits) => f32::from_bits(*bits).to_string(),
        Val::F64(bits) => f64::from_bits(*bits).to_string(),
        Val::V128(value) => value.as_u128().to_string(),
        Val::ExternRef(None) => "<null externref>".to_owned(),
        Val::ExternRef(Some(_)) => "<externref>".to_owned(),
        Val::FuncRef(None) => "<null funcref>".to_owned(),
        Val::FuncRef(Some(_)) => "<funcref>".to_owned(),
        Val::AnyRef(None) => "<null anyref>".to_owned(),
        Val::AnyRef(Some(_)) => "<anyref>".to_owned(),
        Val::ExnRef(None) => "<null exnref>".to_owned(),
        Val::ExnRef(Some(_)) => "<exnref>".to_owned(),
        Val::ContRef(_) => "<contref>".to_owned(),
    }
}
