//! Native programs that were written for the Lambda runtime API: their event, what they find in their environment, and how
//! their event went.

use std::ffi::OsString;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;

use forewarm_executor::bootstrap::{Asked, Call};
use forewarm_lambda::{ADDRESS, Event, Function, MOST_PAYLOAD, PORT, address, variables};
use forewarm_sandbox::process::{Confinement, Program as Command};
use forewarm_types::{Bytes, CodeKind, Seconds, Step, StepTiming};

use super::is_handled;
use crate::Orchestrator;
use crate::error::Error;
use crate::request::Request;

/// The handler that runtimes which do not care for one are configured with: what `cargo lambda` deploys with.
const HANDLER: &str = "bootstrap";

/// Whether a program is run for an event, by way of the runtime API.
pub(crate) fn is_called(request: &Request, kind: CodeKind) -> bool {
    kind == CodeKind::Elf && is_handled(request)
}

impl Orchestrator {
    /// What a program is called with; what it needs for that is added to its environment and place.
    pub(crate) fn call(
        &self,
        request: &Request,
        program: &mut Command,
        confinement: &mut Confinement,
    ) -> Result<Call, Error> {
        let body = event(request)?;
        let listener = match request.network {
            true => {
                Some(TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).map_err(|error| unheard(request, &error))?)
            }
            false => None,
        };
        let port = match listener.as_ref().map(TcpListener::local_addr) {
            Some(local) => local.map_err(|error| unheard(request, &error))?.port(),
            None => PORT,
        };
        furnish(request, program, confinement);
        program.environment.retain(|(name, _)| name != ADDRESS);
        program.environment.push((ADDRESS.into(), address(port).into()));
        Ok(Call { event: self.event(request, confinement, body), listener, deliver: self.deliver })
    }

    fn event(&self, request: &Request, confinement: &Confinement, body: Vec<u8>) -> Event {
        let unix = self.clock.unix();
        let left = confinement.bounds.wall.unwrap_or_default();
        let identity = [
            (unix.0 * 1e9) as u64,
            u64::from(std::process::id()) << 32 | u64::from(self.clock.monotonic().0.to_bits() as u32),
        ];
        Event::local(body, &function(&request.file), identity, unix, left)
    }
}

/// Adds what a custom runtime finds in its environment, where the user has not set it, but for where the interface is; and
/// the port on which it is, where the program has a network of its own.
pub(crate) fn furnish(request: &Request, program: &mut Command, confinement: &mut Confinement) {
    let name = function(&request.file);
    let function = Function {
        name: &name,
        handler: request.python.handler.as_deref().unwrap_or(HANDLER),
        folder: program.executable.parent().unwrap_or(Path::new("/")),
        memory: confinement.bounds.memory.unwrap_or(Bytes::ZERO),
    };
    let unset = |name: &str| !program.environment.iter().any(|(known, _)| known == name);
    let added: Vec<(OsString, OsString)> = variables(&function)
        .into_iter()
        .filter(|(name, _)| unset(name))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    program.environment.extend(added);
    confinement.port = (!confinement.network).then_some(PORT);
}

/// What a program's function is called: as its folder where it has the usual name, else as itself.
fn function(file: &Path) -> String {
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let text = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let own = text(&file).filter(|name| name != HANDLER);
    own.or_else(|| file.parent().and_then(text)).unwrap_or_else(|| HANDLER.to_owned())
}

/// The event's text: of the file given, of standard input, or an empty object.
fn event(request: &Request) -> Result<Vec<u8>, Error> {
    let wrong = |cause: String| Error::Usage {
        message: format!("the event cannot be used: {cause}"),
        hint: Some("--event names a file with JSON, or - for standard input".into()),
    };
    let most = MOST_PAYLOAD as u64;
    let mut text = Vec::new();
    match request.event.as_deref() {
        None => text.extend(b"{}"),
        Some(path) if path == Path::new("-") => {
            std::io::stdin().take(most + 1).read_to_end(&mut text).map_err(|error| wrong(error.to_string()))?;
        }
        Some(path) => {
            let named = |error: std::io::Error| wrong(format!("{}: {error}", path.display()));
            let file = std::fs::File::open(path).map_err(named)?;
            file.take(most + 1).read_to_end(&mut text).map_err(named)?;
        }
    }
    if text.len() > MOST_PAYLOAD {
        return Err(wrong(format!("it has more than {MOST_PAYLOAD} bytes")));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(&text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
    Ok(text)
}

fn unheard(request: &Request, error: &std::io::Error) -> Error {
    Error::Sandbox { file: request.file.clone(), cause: format!("listening on the loopback: {error}") }
}

/// The time from a program's execution to its asking for the event, as a step of its own.
pub(crate) fn initialisation(asked: &Asked, began: Option<Seconds>, wall: Seconds) -> StepTiming {
    let began = began.unwrap_or(asked.at);
    StepTiming {
        step: Step::Initialise,
        wall_seconds: (asked.at - began).0.clamp(0.0, wall.0),
        cpu_seconds: asked.usage.cpu().0,
        bytes: Bytes::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_called_as_their_files_or_folders() {
        assert_eq!(function(Path::new("/srv/thumbnails/bootstrap")), "thumbnails");
        assert_eq!(function(Path::new("/srv/thumbnails")), "thumbnails");
        assert_eq!(function(Path::new("/bootstrap")), "bootstrap");
    }
}
