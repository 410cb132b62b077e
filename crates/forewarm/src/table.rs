//! A plain table: columns as wide as their widest cell, numbers to the right, no lines.
//!
//! Used by the text output alone.

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table being filled.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    #[must_use]
    pub fn new<T: Into<String>>(columns: impl IntoIterator<Item = (T, Side)>) -> Self {
        Self { columns: columns.into_iter().map(|(name, side)| (name.into(), side)).collect(), rows: Vec::new() }
    }

    /// Adds a row; a cell missing at its end is empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines, each after `indent` spaces, without trailing blanks.
    #[must_use]
    pub fn render(&self, indent: usize) -> String {
        let header: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let lines = || std::iter::once(&header).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        lines().map(|line| self.line(line, &widths, indent)).collect()
    }

    fn line(&self, cells: &[String], widths: &[usize], indent: usize) -> String {
        let mut text = " ".repeat(indent);
        for (index, ((_, side), width)) in self.columns.iter().zip(widths).enumerate() {
            let cell = cells.get(index).map_or("", String::as_str);
            let blanks = " ".repeat(width - cell.chars().count());
            let gap = if index == 0 { "" } else { "  " };
            match side {
                Side::Left => text.extend([gap, cell, &blanks]),
                Side::Right => text.extend([gap, &blanks, cell]),
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_characters_not_bytes() {
        let mut table = Table::new([("name", Side::Left), ("time", Side::Right)]);
        table.row(["a".to_owned(), "5 µs".to_owned()]);
        table.row(["longer".to_owned(), "12 ms".to_owned()]);
        table.row(["short".to_owned()]);
        assert_eq!(table.render(1), " name     time\n a        5 µs\n longer  12 ms\n short\n");
    }
}
