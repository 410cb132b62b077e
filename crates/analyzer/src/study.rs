//! What the loop walk finds, loop by loop, for those who fit what is assumed of loops that the code leaves open. Not
//! part of the interface; called by the example `profile`.

use crate::frontend::Reading;
use crate::program::{NONE, Node, Trip};
use crate::{AnalyzeError, kind, read};

/// A loop as the walk left it.
#[derive(Debug)]
pub struct StudiedLoop {
    /// Function number.
    pub function: u32,
    /// Offset in the file of the operator behind the loop's.
    pub offset: u64,
    /// Loops around it in its function whose trips are unknown.
    pub unknown_around: u32,
    /// `formula`, `constant`, or the kind of unknown.
    pub kind: String,
    /// Whether something else may end it early.
    pub early: bool,
    /// What else ends it.
    pub ending: String,
    /// Trips, where they are constant.
    pub trips: Option<i64>,
}

/// All loops of a file's main module.
///
/// # Errors
/// As [`crate::analyze`].
pub fn loops(bytes: &[u8]) -> Result<Vec<StudiedLoop>, AnalyzeError> {
    let Reading { mut program, mut detail, .. } = read(bytes, kind(bytes)?, None)?;
    let waits = |function: &u32| program.tree(*function).is_some_and(|(_, tree)| tree.uncalled);
    let rest: Vec<u32> = (0..program.functions.len() as u32).filter(waits).collect();
    detail.grow(&rest, &mut program)?;
    let mut out = Vec::new();
    for function in 0..program.functions.len() as u32 {
        let Some((forest, tree)) = program.tree(function) else { continue };
        let mut open: Vec<Option<bool>> = Vec::new();
        for node in &forest.nodes[tree.nodes.start as usize..tree.nodes.end as usize] {
            match *node {
                Node::Block | Node::If(_) => open.push(None),
                Node::End => drop(open.pop()),
                Node::Loop(index) => {
                    let entry = forest.loops[index as usize];
                    let unknown_around = open.iter().filter(|around| **around == Some(true)).count() as u32;
                    let (kind, trips) = match entry.trip {
                        Trip::Formula { len: 0, constant, step, per: NONE, .. } => {
                            ("constant".to_owned(), Some(crate::trip_count::trips(constant, step)))
                        }
                        Trip::Formula { .. } => ("formula".to_owned(), None),
                        Trip::Unknown(kind) => (format!("{kind:?}").to_lowercase(), None),
                    };
                    open.push(Some(matches!(entry.trip, Trip::Unknown(_))));
                    out.push(StudiedLoop {
                        function,
                        offset: entry.offset,
                        unknown_around,
                        kind,
                        early: entry.early,
                        ending: format!("{:?}", entry.ending),
                        trips,
                    });
                }
                _ => {}
            }
        }
    }
    Ok(out)
}
