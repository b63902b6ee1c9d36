//! A plain text table: aligned columns, one of which gives way when the line is too long.

/// How text is to be laid out; the caller knows the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextStyle {
    /// Emphasis by ANSI colour, always besides a sign or a word.
    pub colour: bool,
    /// Longest line, in columns of the terminal.
    pub width: usize,
}

impl Default for TextStyle {
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
        }
    }
}

impl TextStyle {
    /// The text in bold blue, if colour is wanted.
    pub(crate) fn accent(self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[1;34m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// The text in grey, if colour is wanted.
    pub(crate) fn faint(self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[2m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A column's head, whose lines are separated by `\n`, and how its cells are set.
#[derive(Clone, Debug)]
pub struct Column {
    head: String,
    right: bool,
    /// The least width to which the column may be cut; `None` is never cut.
    shrinks_to: Option<usize>,
}

impl Column {
    /// A column of words, cut with an ellipsis where the line would be too long.
    pub fn words(head: &str) -> Self {
        Self {
            head: head.to_owned(),
            right: false,
            shrinks_to: Some(12),
        }
    }

    /// A column of numbers, set to the right and never cut.
    pub fn number(head: &str) -> Self {
        Self {
            head: head.to_owned(),
            right: true,
            shrinks_to: None,
        }
    }
}

/// Rows under column heads.
#[derive(Clone, Debug)]
pub struct TextTable {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
enum Row {
    Cells { cells: Vec<String>, emphasis: bool },
    Rule,
}

impl TextTable {
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells {
            cells,
            emphasis: false,
        });
    }

    /// Adds a row that stands out in colour; its cells must say so in words too.
    pub fn emphasised_row(&mut self, cells: Vec<String>) {
        self.rows.push(Row::Cells {
            cells,
            emphasis: true,
        });
    }

    /// Adds a line across.
    pub fn rule(&mut self) {
        self.rows.push(Row::Rule);
    }

    /// The table as lines, each ending in `\n`, without trailing blanks.
    pub fn render(&self, style: TextStyle) -> String {
        let widths = self.widths(style.width);
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        let rule = style.faint(&"─".repeat(total)) + "\n";
        let heads: Vec<Vec<&str>> = self
            .columns
            .iter()
            .map(|column| column.head.split('\n').collect())
            .collect();
        let head_lines = heads.iter().map(Vec::len).max().unwrap_or(0);
        let mut out = String::new();
        for line in 0..head_lines {
            let mut cells = Vec::new();
            for head in &heads {
                let index = (line + head.len()).checked_sub(head_lines); // Heads stand on the rule.
                cells.push(index.map_or("", |index| head[index]));
            }
            out += &style.faint(&self.line(&cells, &widths));
            out.push('\n');
        }
        out += &rule;
        for row in &self.rows {
            match row {
                Row::Rule => out += &rule,
                Row::Cells { cells, emphasis } => {
                    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
                    let line = self.line(&cells, &widths);
                    out += &if *emphasis { style.accent(&line) } else { line };
                    out.push('\n');
                }
            }
        }
        out
    }

    fn widths(&self, most: usize) -> Vec<usize> {
        let width_of = |index: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| match row {
                Row::Cells { cells, .. } => cells.get(index).map(|cell| columns_of(cell)),
                Row::Rule => None,
            });
            cells
                .chain(column.head.split('\n').map(columns_of))
                .max()
                .unwrap_or(0)
        };
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| width_of(index, column))
            .collect();
        let mut excess = (widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1))
            .saturating_sub(most);
        for (width, column) in widths.iter_mut().zip(&self.columns) {
            if let Some(least) = column.shrinks_to {
                let cut = excess.min(width.saturating_sub(least));
                *width -= cut;
                excess -= cut;
            }
        }
        widths
    }

    fn line(&self, cells: &[&str], widths: &[usize]) -> String {
        let mut line = String::new();
        for (index, (column, width)) in self.columns.iter().zip(widths).enumerate() {
            let cell = cut(cells.get(index).copied().unwrap_or(""), *width);
            let blanks = " ".repeat(width - columns_of(&cell));
            if index > 0 {
                line += "  ";
            }
            line += &if column.right {
                blanks + &cell
            } else {
                cell + &blanks
            };
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// The text without control characters, cut to `width` columns with an ellipsis.
pub fn cut(text: &str, width: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if columns_of(text) <= width {
        return clean.collect();
    }
    let head: String = clean.take(width.saturating_sub(1)).collect();
    head.trim_end().to_owned() + "…"
}

/// The text broken at blanks into lines of at most `width` columns (a longer word stays whole).
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if columns_of(line) + 1 + columns_of(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Columns of the terminal the text takes; wide scripts are not told apart.
fn columns_of(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_way_and_numbers_do_not() {
        let mut table = TextTable::new(vec![Column::words("policy"), Column::number("cost\n$")]);
        table.row(vec![
            "Kubernetes HPA at 60 %".to_owned(),
            "1,234".to_owned(),
        ]);
        table.rule();
        table.row(vec!["all".to_owned()]);
        let text = table.render(TextStyle {
            colour: false,
            width: 20,
        });
        assert_eq!(
            text,
            "                cost\npolicy             $\n────────────────────\nKubernetes H…  1,234\n────────────────────\nall\n"
        );
    }

    #[test]
    fn an_empty_table_is_only_its_head() {
        assert_eq!(
            TextTable::new(vec![Column::words("a")]).render(TextStyle::default()),
            "a\n─\n"
        );
        assert_eq!(
            TextTable::new(Vec::new()).render(TextStyle::default()),
            "\n"
        );
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(cut("a\u{1b}[31mb\nc", 20), "a [31mb c");
    }

    #[test]
    fn text_wraps_at_blanks() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
    }
}
