//! The front end for native programs in the Executable and Linkable Format (System V ABI, chapters 4 and 5): x86-64 code
//! is decoded and followed; of other machines the headers, symbols and libraries are read.
//!
//! The unit of `ops.total` is the machine instruction of the file itself: what shared libraries execute on its behalf
//! is not in it, but shows as calls of their functions. A `ret` is counted by the entry of its function.
//!
//! Every function is looked at by the shape of its instructions; of those that a run can come to the likeliest to matter
//! are decoded, laid out and, where something in them repeats, followed (`reach`). A first run looks only into what is
//! nearest the entry.
//!
//! Bounds, all linear in the file: every byte of code is looked at once, and once more in functions that touch what the
//! processor said of itself and have a bearing on what is required; a sixth of it is laid out, and half as much in detail ([`Budgets`]); some 60 bytes of memory
//! per instruction of the largest function, some 25 per instruction that is laid out. Functions above 4 MiB, with jumps into the middle of
//! loops, or with more ways out of loops than 64 per block are counted and not understood.

mod bearing;
mod body;
mod budgets;
mod certain;
mod chances;
mod classes;
mod closure;
mod code;
mod crypto;
mod detail;
mod effects;
mod execute;
mod export;
mod facts;
mod features;
mod functions;
mod go;
mod graph;
mod grow;
mod image;
mod interpreters;
mod isa;
mod jump_tables;
mod kits;
mod layout;
mod loops;
mod reach;
mod read;
mod registers;
mod roots;
mod runtimes;
mod scan;
mod shapes;
mod states;
mod swift;
mod taint;
mod traits;
mod unwind;

pub(crate) use shapes::check as check_shapes;

pub use closure::{Asking, LibraryFiles, module_libraries, resolve_libraries};

use budgets::Budgets;
use reach::Looks;

use crate::Budget;
use crate::error::AnalyzeError;
use crate::frontend::{Algorithms, Reading};
use crate::program::Program;

/// Reads an ELF file: all its code looked at, or, with a `budget` of code bytes, what is nearest the entry.
///
/// # Errors
/// [`AnalyzeError::Elf`] where its header or the tables it points to cannot be read.
pub(crate) fn read(bytes: &[u8], budget: Option<Budget>) -> Result<Reading<'_>, AnalyzeError> {
    let image = read::read(bytes)?;
    let program = image.is_program();
    let code_bytes = image.code().iter().map(|piece| piece.1.len() as u64).sum::<u64>();
    let hurried = budget.filter(|budget| code_bytes > budget.whole as u64);
    let mut code = code::Code::new(image, hurried.is_none());
    let mut scanner = scan::Scanner::default();
    let scans = hurried.is_none().then(|| grow::scan(&mut code, &mut scanner));
    let mut looks = match scans {
        Some(scans) => Looks::all(&code, scans, scanner),
        None => Looks::none(&code, scanner),
    };
    let mut roots = roots::find(&mut looks);
    let name = std::mem::take(&mut roots.name);
    let budgets = Budgets::of(code_bytes, hurried);
    let (chosen, grown) = grow::choose(&mut looks, roots, budgets.laid_out);
    let entry = (program && code.image.decodable() && !chosen.roots.is_empty()).then_some(name);
    let data = code.image.segments.iter().filter(|segment| segment.writable).map(|segment| segment.address).min();
    let program = Program { addresses: data.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX), ..chosen };
    let (scans, shapes) = looks.into_scans();
    let (facts, native, warnings) = facts::facts(&code, &scans, &program.roots, hurried.is_none());
    let algorithms = if hurried.is_none() { crypto::algorithms(&code, &scans) } else { Algorithms::default() };
    let layout = layout::Layout::new(shapes);
    let detail = Box::new(detail::Functions::new(code, scans, (layout, grown), algorithms, budgets.detail));
    Ok(Reading { entry, program, facts, detail, native: Some(native), warnings })
}
