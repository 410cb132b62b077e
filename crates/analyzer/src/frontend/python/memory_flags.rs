//! Memory sizes that a program gives to others: flags in the arguments of subprocesses, and environment variables.

use forewarm_types::Bytes;
use forewarm_types::python::MemoryFlag;
use ruff_python_ast::{self as ast, Expr};

use super::emit::Emitter;
use super::scope::start;
use super::statements::is_named;

/// Flags by which programs are told how much memory to take, with the unit of a bare number in bytes.
///
/// `-Xmx`, `-Xms` and `-Xss` are Java's (bytes), `--max-old-space-size` and `--max-semi-space-size` V8's (MiB), `-mx`
/// Java's old spelling, `--max-mem` Bowtie's and many tools', `--memory` and `-m` Docker's (bytes), `--driver-memory`
/// and `--executor-memory` Spark's (MiB), `--maxmemory` Redis's.
const FLAGS: [(&str, f64); 12] = [
    ("--driver-memory", 1_048_576.0),
    ("--executor-memory", 1_048_576.0),
    ("--max-mem", 1.0),
    ("--max-memory", 1.0),
    ("--max-old-space-size", 1_048_576.0),
    ("--max-semi-space-size", 1_048_576.0),
    ("--maxmemory", 1.0),
    ("--memory", 1.0),
    ("-XX:MaxHeapSize", 1.0),
    ("-XX:MaxRAMPercentage", f64::NAN),
    ("-Xmx", 1.0),
    ("-Xms", 1.0),
];

/// Environment variables whose words are such flags.
const VARIABLES: [&str; 6] =
    ["JAVA_TOOL_OPTIONS", "JAVA_OPTS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "NODE_OPTIONS", "SPARK_SUBMIT_OPTS"];

/// Functions that start a process or are given its arguments.
fn starts_process(path: &str) -> bool {
    path.starts_with("subprocess.")
        || path.starts_with("os.exec")
        || path.starts_with("os.spawn")
        || path.starts_with("os.posix_spawn")
        || matches!(path, "os.system" | "os.popen")
        || path.starts_with("asyncio.create_subprocess")
}

impl<'a> Emitter<'a, '_> {
    /// Flags in the arguments of a call that starts a process.
    pub(super) fn memory_flags_in(&mut self, call: &'a ast::ExprCall, path: &str) {
        if matches!(path, "os.environ.setdefault" | "os.putenv") {
            if let [Expr::StringLiteral(name), value] = &call.arguments.args[..] {
                self.variable(name.value.to_str(), value, start(call));
            }
            return;
        }
        if !starts_process(path) {
            return;
        }
        for argument in &call.arguments.args {
            self.flags_of(argument, None, start(call));
        }
        for keyword in &call.arguments.keywords {
            match keyword.arg.as_deref() {
                Some("args") => self.flags_of(&keyword.value, None, start(call)),
                Some("env") => {
                    if let Expr::Dict(dict) = &keyword.value {
                        self.variables(dict);
                    }
                }
                _ => {}
            }
        }
    }

    /// `os.environ["JAVA_TOOL_OPTIONS"] = "-Xmx…"`, and dictionaries that hold such a variable.
    pub(super) fn environment_flag(&mut self, assign: &'a ast::StmtAssign) {
        for target in &assign.targets {
            if let Expr::Subscript(subscript) = target
                && let Expr::StringLiteral(name) = &*subscript.slice
            {
                self.variable(name.value.to_str(), &assign.value, start(assign));
            }
        }
        match &*assign.value {
            Expr::Dict(dict) => self.variables(dict),
            // A command put together before it is run.
            Expr::List(list) if assign.targets.iter().any(|target| matches!(target, Expr::Name(_))) => {
                list.elts.iter().for_each(|word| self.flags_of(word, None, start(assign)));
            }
            _ => {}
        }
    }

    fn variables(&mut self, dict: &'a ast::ExprDict) {
        for item in &dict.items {
            if let Some(Expr::StringLiteral(name)) = &item.key {
                self.variable(name.value.to_str(), &item.value, start(&item.value));
            }
        }
    }

    fn variable(&mut self, name: &str, value: &'a Expr, at: u32) {
        if VARIABLES.contains(&name) {
            self.flags_of(value, Some(name), at);
        }
    }

    fn flags_of(&mut self, value: &'a Expr, variable: Option<&str>, at: u32) {
        match value {
            Expr::StringLiteral(text) => self.flags_in(text.value.to_str(), variable, at),
            Expr::List(ast::ExprList { elts, .. }) | Expr::Tuple(ast::ExprTuple { elts, .. }) => {
                let mut words = elts.iter().peekable();
                while let Some(word) = words.next() {
                    match (word, words.peek()) {
                        // A flag and its value as two words.
                        (Expr::StringLiteral(flag), Some(Expr::StringLiteral(size)))
                            if FLAGS.iter().any(|(name, _)| *name == flag.value.to_str()) =>
                        {
                            let both = format!("{} {}", flag.value.to_str(), size.value.to_str());
                            self.flags_in(&both, variable, at);
                        }
                        _ => self.flags_of(word, variable, at),
                    }
                }
            }
            Expr::FString(text) => {
                for element in text.value.elements() {
                    if let ast::InterpolatedStringElement::Literal(literal) = element {
                        self.flags_in(&literal.value, variable, at);
                    }
                }
            }
            Expr::Call(call) if is_named(&call.func, "split") => {
                if let Expr::Attribute(attribute) = &*call.func {
                    self.flags_of(&attribute.value, variable, at);
                }
            }
            Expr::BinOp(operation) => {
                self.flags_of(&operation.left, variable, at);
                self.flags_of(&operation.right, variable, at);
            }
            _ => {}
        }
    }

    fn flags_in(&mut self, text: &str, variable: Option<&str>, at: u32) {
        if !text.contains('-') {
            return;
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        for (index, word) in words.iter().enumerate() {
            let Some((flag, unit)) = FLAGS.iter().find(|(flag, _)| {
                word.strip_prefix(flag).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with('=') || (flag.starts_with("-Xm") && !rest.starts_with('-'))
                })
            }) else {
                continue;
            };
            let size = word[flag.len()..].trim_start_matches('=');
            let next = words.get(index + 1).filter(|_| word.len() == flag.len() && !flag.starts_with("-X"));
            let (size, shown) = match next {
                Some(next) => (*next, format!("{word} {next}")),
                None => (size, (*word).to_owned()),
            };
            let flag = MemoryFlag {
                flag: shown.chars().take(80).collect(),
                bytes: size_in_bytes(size, *unit),
                variable: variable.map(str::to_owned),
                line: 0,
            };
            let known = |entry: &(u32, MemoryFlag, u32)| entry.0 == self.file.number && entry.1 == flag;
            if self.sheet.memory_flags.len() < 1000 && !self.sheet.memory_flags.iter().any(known) {
                self.sheet.memory_flags.push((self.file.number, flag, at));
            }
        }
    }
}

/// `512m`, `2G`, `2048`: suffixes are binary, as Java, V8 and Docker read them.
fn size_in_bytes(text: &str, unit: f64) -> Option<Bytes> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().ok()?;
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" => unit,
        "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1_048_576.0,
        "g" | "gb" | "gib" => 1_073_741_824.0,
        "t" | "tb" | "tib" => 1_099_511_627_776.0,
        _ => return None,
    };
    let bytes = number * factor;
    (bytes.is_finite() && (0.0..1e18).contains(&bytes)).then_some(Bytes(bytes as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_their_programs_read_them() {
        let check =
            |text, unit, expected: Option<u64>| assert_eq!(size_in_bytes(text, unit), expected.map(Bytes), "{text}");
        check("512m", 1.0, Some(512 << 20));
        check("2G", 1.0, Some(2 << 30));
        check("4096", 1_048_576.0, Some(4 << 30));
        check("1000000", 1.0, Some(1_000_000));
        check("lots", 1.0, None);
        check("", 1.0, None);
        check("75.0", f64::NAN, None);
    }
}
