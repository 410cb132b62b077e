//! One run in the process that was forked for it: what it is given is taken on, the program is run, its end is told.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use forewarm_executor::{Directory, Invocation, Outcome, Progress, Ready, Standing, Stdio, Waiting};
use forewarm_holder::wasm::worker::{Handed, Notice, notify, tell};
use forewarm_holder::{Errand, Over, Word};
use forewarm_sandbox::process::Circumstances;
use forewarm_sandbox::{exit, measure, streams};

use super::Stand;

impl Stand {
    /// Waits with an instance and runs what comes; in a process of its own, which ends here.
    pub(super) fn wait_and_run(&mut self, stand: &OwnedFd) -> ! {
        let own = Circumstances::own();
        let waiting = self.standing.as_mut().map(Standing::wait);
        let waiting = match waiting {
            Some(Ok((waiting, _))) => waiting,
            Some(Err(error)) => {
                // Without a stand there is nobody to tell, here and below.
                let _ = notify(stand, &Notice::Failed(error.to_string()));
                exit::now(1)
            }
            None => exit::now(1),
        };
        let _ = notify(stand, &Notice::Waits);
        let Ok(Some(handed)) = self.line.next() else { exit::now(0) };
        let known = handed.client.try_clone().and_then(|client| notify(stand, &Notice::Taken(client)));
        if known.is_err() {
            exit::now(1);
        }
        self.run(&own, Some(waiting), &handed)
    }

    /// Runs what was handed over; in a process of its own, which ends here.
    pub(super) fn run(&mut self, own: &Circumstances, waiting: Option<Waiting>, handed: &Handed) -> ! {
        if let Err(why) = self.follow(own, waiting, handed) {
            // A client that has gone needs no word.
            let _ = tell(&handed.client, &Word::Cold(why));
        }
        exit::now(0)
    }

    /// Runs what was handed over, or says why nothing of it was run.
    fn follow(&mut self, own: &Circumstances, waiting: Option<Waiting>, handed: &Handed) -> Result<(), String> {
        let client = handed.client_process().ok_or("the kernel does not say who asks")?;
        let errand = handed.errand().map_err(|error| error.to_string())?;
        own.take_on(client).map_err(|error| error.to_string())?;
        streams::replace(&handed.streams.each_ref().map(AsFd::as_fd)).map_err(|error| error.to_string())?;
        let invocation = invocation(errand, &handed.directories)?;
        let mut standing = self.standing.take().ok_or("nothing stands here")?;
        if self.starts {
            let entered = standing.enter(&invocation).map_err(|error| error.to_string())?;
            if self.begin(&handed.client) {
                match entered.instantiate() {
                    Ok(ready) => self.finish(&handed.client, ready),
                    Err(error) => drop(tell(&handed.client, &Word::Failed(error.to_string()))),
                }
            }
            return Ok(());
        }
        let waiting = waiting.map_or_else(|| standing.wait().map(|(waiting, _)| waiting), Ok);
        let ready =
            waiting.and_then(|waiting| standing.ready(waiting, &invocation)).map_err(|error| error.to_string())?;
        if self.begin(&handed.client) {
            self.finish(&handed.client, ready);
        }
        Ok(())
    }

    /// Says that the program begins; `false` where the client has gone, or no longer waits, and nothing may run.
    fn begin(&mut self, client: &UnixStream) -> bool {
        let began_seconds = self.clock.monotonic().0;
        let orders = std::mem::take(&mut self.orders);
        tell(client, &Word::Begun { rung: self.rung, began_seconds, orders }).is_ok()
    }

    /// Runs the program, and says how it went.
    fn finish(&self, client: &UnixStream, ready: Ready) {
        let outcome = ready.run();
        let over = over(outcome, self.clock.process_cpu().0);
        // A client that has gone needs no word.
        let _ = tell(client, &Word::Over(Box::new(over)));
    }
}

fn invocation(errand: Errand, directories: &[OwnedFd]) -> Result<Invocation, String> {
    if errand.directories.len() != directories.len() {
        return Err("not every directory came along".to_owned());
    }
    let given = errand.directories.into_iter().zip(directories);
    let directories = given.map(|((guest, read_only), directory)| {
        let host = format!("/proc/self/fd/{}", directory.as_raw_fd()).into();
        Directory { host, guest, read_only }
    });
    Ok(Invocation {
        program: errand.program,
        arguments: errand.arguments,
        environment: errand.environment,
        directories: directories.collect(),
        stdio: Stdio::Inherit,
        invoke: errand.invoke,
        network: errand.network,
        max_memory: errand.max_memory,
        progress: Arc::new(Progress::default()),
    })
}

fn over(outcome: Outcome, cpu_seconds: f64) -> Over {
    Over {
        exit: outcome.exit,
        run_seconds: outcome.run_seconds,
        run_cpu_seconds: outcome.run_cpu_seconds,
        cpu_seconds,
        peak_memory_bytes: measure::peak_resident(),
        peak_linear_memory_bytes: outcome.peak_linear_memory_bytes,
        run_delay_seconds: measure::run_delay().map(|delay| delay.0),
        results: outcome.results,
    }
}
