//! Jump tables of machine code: where one lies, and how many entries it has, told by the instructions before the jump.

use iced_x86::{Code, Instruction, Mnemonic, OpKind, Register};

use super::image::Image;

/// Instructions before an indirect jump in which its table and bound are looked for: GCC and Clang put them within ten.
pub(super) const LOOK_BACK: usize = 24;

/// A jump table: entries relative to it, four bytes each, or absolute, eight.
pub(super) struct JumpTable {
    address: u64,
    width: usize,
    count: usize,
}

impl JumpTable {
    /// Where its entries lead to.
    pub(super) fn targets<'i>(&self, image: &Image<'i>) -> impl Iterator<Item = u64> + use<'i> {
        let bytes = image.at(self.address).unwrap_or_default();
        let address = self.address;
        bytes.chunks_exact(self.width).take(self.count).map(move |entry| match entry.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => entry
                .first_chunk::<4>()
                .map_or(0, |word| address.wrapping_add_signed(i64::from(i32::from_le_bytes(*word)))),
        })
    }
}

/// The table of an indirect jump, by the instructions before it.
pub(super) fn told(jump: &Instruction, before: &[Instruction]) -> Option<JumpTable> {
    let memory = jump.op0_kind() == OpKind::Memory && !jump.is_ip_rel_memory_operand();
    let absolute = (memory && jump.memory_index() != Register::None && jump.memory_index_scale() == 8)
        .then(|| jump.memory_displacement64())
        .filter(|_| jump.memory_base() == Register::None);
    let based = before.iter().rev().find(|found| found.code() == Code::Lea_r64_m && found.is_ip_rel_memory_operand());
    let relative = based.filter(|_| before.iter().any(|found| found.mnemonic() == Mnemonic::Movsxd));
    let (address, width) = match (absolute, relative) {
        (Some(address), _) => (address, 8),
        (None, Some(lea)) => (lea.ip_rel_memory_address(), 4),
        (None, None) => return None,
    };
    Some(JumpTable { address, width, count: bound(before)? })
}

/// The number of entries that the comparison before a jump table allows.
fn bound(before: &[Instruction]) -> Option<usize> {
    for (at, instruction) in before.iter().enumerate().rev() {
        let above = match instruction.mnemonic() {
            Mnemonic::Ja | Mnemonic::Jbe => 1,
            Mnemonic::Jae | Mnemonic::Jb => 0,
            // A mask bounds too.
            Mnemonic::And if is_immediate(instruction) => {
                return usize::try_from(instruction.immediate(1)).ok()?.checked_add(1);
            }
            _ => continue,
        };
        let compared = before[..at].iter().rev().take(8).find(|found| found.mnemonic() == Mnemonic::Cmp)?;
        return usize::try_from(is_immediate(compared).then(|| compared.immediate(1))?).ok()?.checked_add(above);
    }
    None
}

fn is_immediate(instruction: &Instruction) -> bool {
    instruction.op_count() == 2 && !matches!(instruction.op1_kind(), OpKind::Register | OpKind::Memory)
}
