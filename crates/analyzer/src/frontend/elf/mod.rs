//! The front end for native programs in the Executable and Linkable Format (System V ABI, chapters 4 and 5): x86-64 code
//! is decoded and followed; of other machines the headers, symbols and libraries are read.
//!
//! The unit of `ops.total` is the machine instruction of the file itself: what shared libraries execute on its behalf
//! is not in it, but shows as calls of their functions. A `ret` is counted by the entry of its function.
//!
//! Every function is looked at by the shape of its instructions; those that a run can come to are decoded, laid out and,
//! where something in them repeats, followed.
//!
//! Bounds, all linear in the file: every byte of code is looked at once, decoded once, and once more in functions that
//! matter; some 40 bytes of memory per instruction of the largest function, some 25 per instruction that is reached. Functions above
//! 4 MiB, with jumps into the middle of loops, or with more ways out of loops than 64 per block are counted and not
//! understood.

mod body;
mod chances;
mod classes;
mod closure;
mod code;
mod detail;
mod execute;
mod export;
mod facts;
mod features;
mod functions;
mod go;
mod graph;
mod grow;
mod image;
mod isa;
mod kits;
mod layout;
mod loops;
mod read;
mod registers;
mod roots;
mod runtimes;
mod scan;
mod shapes;
mod taint;
mod traits;
mod unwind;

pub(crate) use shapes::check as check_shapes;

pub use closure::{LibraryFiles, resolve_libraries};

use crate::error::AnalyzeError;
use crate::frontend::Reading;
use crate::program::Program;

/// Reads an ELF file.
///
/// # Errors
/// [`AnalyzeError::Elf`] where its header or the tables it points to cannot be read.
pub(crate) fn read(bytes: &[u8]) -> Result<Reading<'_>, AnalyzeError> {
    let image = read::read(bytes)?;
    let program = image.is_program();
    let code = code::Code::new(image);
    let scans = grow::scan(&code);
    let mut roots = roots::find(&code, &scans);
    let name = std::mem::take(&mut roots.name);
    let grown = grow::grow(&code, &scans, roots);
    let entry = (program && code.image.decodable() && !grown.roots.is_empty()).then_some(name);
    let data = code.image.segments.iter().filter(|segment| segment.writable).map(|segment| segment.address).min();
    let grown = Program { addresses: data.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX), ..grown };
    let (facts, native, warnings) = facts::facts(&code, &scans, &grown.roots);
    let detail = Box::new(detail::Functions::new(code));
    Ok(Reading { entry, program: grown, facts, detail, native: Some(native), warnings })
}
