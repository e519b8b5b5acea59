//! Tables in plain text: columns as wide as they need to be.

use std::fmt;

/// Rows of cells under a head. The first column starts at the left, columns of numbers end at the right.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// For each column: does it end at the right?
    numeric: Vec<bool>,
}

impl Table {
    /// A table with these column heads. A head that begins with `>` makes a column of numbers.
    pub(crate) fn new(heads: &[&str]) -> Table {
        let numeric = heads.iter().map(|head| head.starts_with('>')).collect();
        let heads = heads.iter().map(|head| head.trim_start_matches('>').to_string()).collect();
        Table { rows: vec![heads], numeric }
    }

    /// Appends a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Are there rows under the head?
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.numeric.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::from(" ");
            for ((cell, &width), &numeric) in row.iter().zip(&widths).zip(&self.numeric) {
                line += &if numeric { format!(" {cell:>width$}") } else { format!(" {cell:<width$}") };
                line.push(' ');
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
