//! What a change must not do, as people type it: `cost>+2% or violation>+0.1pp`.
//!
//! ```text
//! rule       = all { "or" all }
//! all        = one { "and" one }
//! one        = metric sign number [unit] | "(" rule ")"
//! metric     = "cost" | "unserved" | "violation" | "starts"
//! sign       = ">" | "<" | ">=" | "<="
//! number     = ["+" | "-"] digits ["." digits]
//! unit       = "%" | "pp"
//! ```
//!
//! With a sign a number is a difference from the base: `+2%` is two percent of the base more, `+0.1pp` a tenth
//! of a percentage point of a share more, and without a unit dollars or starts more. Without a sign it is a
//! bound for the changed version itself: `violation>1%`, `cost>900`.

use std::fmt;

use fleetcast_report::{ComparedFigure, ComparedMetric};

/// A rule as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct FailIf {
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    One(Condition),
    All(Vec<Rule>),
    Any(Vec<Rule>),
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    text: String,
    metric: ComparedMetric,
    sign: Sign,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Over,
    Under,
    AtLeast,
    AtMost,
}

/// What a value is held against; all as fractions, dollars or starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// Changed ÷ base − 1.
    Relative(f64),
    /// Changed − base.
    Difference(f64),
    /// Changed alone.
    Value(f64),
}

/// A rule that cannot be read, with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    text: String,
    from: usize,
    to: usize,
    why: String,
}

impl fmt::Display for BadRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text[..self.from].chars().count();
        let marked = self.text[self.from..self.to].chars().count().max(1);
        write!(
            f,
            "{}\n  {}\n  {}{}",
            self.why,
            self.text,
            " ".repeat(before),
            "^".repeat(marked)
        )
    }
}

impl std::error::Error for BadRule {}

impl FailIf {
    /// Reads a rule.
    pub fn parse(text: &str) -> Result<Self, BadRule> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        let rule = parser.any()?;
        parser.blanks();
        if parser.at < text.len() {
            let word = parser.peek_word();
            return Err(parser.bad(word, "`and`, `or` or the end should stand here"));
        }
        Ok(Self { rule })
    }

    /// Whether it says anything of the base, so that a base must be run.
    pub fn needs_base(&self) -> bool {
        fn needs(rule: &Rule) -> bool {
            match rule {
                Rule::One(condition) => !matches!(condition.bound, Bound::Value(_)),
                Rule::All(rules) | Rule::Any(rules) => rules.iter().any(needs),
            }
        }
        needs(&self.rule)
    }

    /// What of it is true of these figures, in words; `None` if it does not hold.
    pub fn judge(&self, figures: &[ComparedFigure]) -> Option<String> {
        judge(&self.rule, figures)
    }
}

fn judge(rule: &Rule, figures: &[ComparedFigure]) -> Option<String> {
    match rule {
        Rule::One(condition) => condition.judge(figures),
        Rule::Any(rules) => rules.iter().find_map(|rule| judge(rule, figures)),
        Rule::All(rules) => {
            let all: Option<Vec<String>> = rules.iter().map(|rule| judge(rule, figures)).collect();
            all.map(|reasons| reasons.join(", and "))
        }
    }
}

impl Condition {
    fn judge(&self, figures: &[ComparedFigure]) -> Option<String> {
        let figure = figures.iter().find(|figure| figure.metric == self.metric)?;
        let (value, bound, words) = match self.bound {
            Bound::Relative(bound) => {
                // Of nothing every increase is infinite.
                let value = figure.relative.unwrap_or(match figure.difference {
                    difference if difference > 0.0 => f64::INFINITY,
                    _ => 0.0,
                });
                let words = if value.is_finite() {
                    format!("{:+.3} % against the base", value * 100.0)
                } else {
                    "more than the base, which is nothing".to_string()
                };
                (value, bound, words)
            }
            Bound::Difference(bound) if self.metric.is_share() => {
                let value = figure.difference;
                let words = format!("{:+.4} pp against the base", value * 100.0);
                (value, bound, words)
            }
            Bound::Difference(bound) => {
                let value = figure.difference;
                (value, bound, format!("{value:+.2} against the base"))
            }
            Bound::Value(bound) if self.metric.is_share() => {
                let value = figure.changed;
                (value, bound, format!("{:.4} %", value * 100.0))
            }
            Bound::Value(bound) => (figure.changed, bound, format!("{:.2}", figure.changed)),
        };
        let holds = match self.sign {
            Sign::Over => value > bound,
            Sign::Under => value < bound,
            Sign::AtLeast => value >= bound,
            Sign::AtMost => value <= bound,
        };
        holds.then(|| format!("{} is {words} (`{}`)", self.metric.name(), self.text))
    }
}

/// A person nests no deeper.
const DEPTH_MAX: usize = 32;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Rule, BadRule> {
        let mut rules = vec![self.all()?];
        while self.keyword("or") {
            rules.push(self.all()?);
        }
        Ok(one_or(rules, Rule::Any))
    }

    fn all(&mut self) -> Result<Rule, BadRule> {
        let mut rules = vec![self.one()?];
        while self.keyword("and") {
            rules.push(self.one()?);
        }
        Ok(one_or(rules, Rule::All))
    }

    fn one(&mut self) -> Result<Rule, BadRule> {
        self.blanks();
        if !self.rest().starts_with('(') {
            return self.condition().map(Rule::One);
        }
        let opened = self.at;
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.bad((opened, opened + 1), "too many brackets"));
        }
        let rule = self.any()?;
        self.blanks();
        if !self.rest().starts_with(')') {
            return Err(self.bad((opened, opened + 1), "this `(` is not closed"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(rule)
    }

    fn condition(&mut self) -> Result<Condition, BadRule> {
        let metric_at = self.peek_word();
        let name = &self.text[metric_at.0..metric_at.1];
        let metric = ComparedMetric::ALL
            .into_iter()
            .find(|metric| metric.name() == name);
        let Some(metric) = metric else {
            let known = "use cost, unserved, violation or starts";
            let why = if name.is_empty() {
                format!("a metric should stand here: {known}")
            } else {
                format!("`{name}` is not a metric: {known}")
            };
            return Err(self.bad(metric_at, &why));
        };
        self.at = metric_at.1;
        self.blanks();
        let signs = [
            (">=", Sign::AtLeast),
            ("<=", Sign::AtMost),
            (">", Sign::Over),
            ("<", Sign::Under),
        ];
        let sign = signs
            .into_iter()
            .find(|(sign, _)| self.rest().starts_with(sign));
        let Some((written, sign)) = sign else {
            let word = self.peek_word();
            return Err(self.bad(word, "`>`, `<`, `>=` or `<=` should stand here"));
        };
        self.at += written.len();
        self.blanks();
        let bound = self.bound(metric)?;
        Ok(Condition {
            text: self.text[metric_at.0..self.at].to_string(),
            metric,
            sign,
            bound,
        })
    }

    fn bound(&mut self, metric: ComparedMetric) -> Result<Bound, BadRule> {
        let from = self.at;
        let relative = self.rest().starts_with(['+', '-']);
        let after_sign = from + usize::from(relative);
        let digits = self.text[after_sign..]
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .map_or(self.text.len(), |end| after_sign + end);
        let number: Option<f64> = self.text[from..digits].parse().ok();
        let Some(number) = number.filter(|_| digits > after_sign) else {
            let word = self.peek_word();
            return Err(self.bad(word, "a number should stand here, such as +2% or +0.1pp"));
        };
        self.at = digits;
        self.blanks();
        let unit = ["%", "pp"]
            .into_iter()
            .find(|unit| self.rest().starts_with(unit));
        let unit_at = (self.at, self.at + unit.map_or(0, str::len));
        self.at = unit_at.1;
        let share = metric.is_share();
        match (relative, unit) {
            (true, Some("%")) => Ok(Bound::Relative(number / 100.0)),
            (true, Some(_)) if share => Ok(Bound::Difference(number / 100.0)),
            (true, None) if !share => Ok(Bound::Difference(number)),
            (false, Some("%")) if share => Ok(Bound::Value(number / 100.0)),
            (false, None) if !share => Ok(Bound::Value(number)),
            (true, None) => Err(self.bad(
                (from, digits),
                "a difference of a share needs a unit: `pp` (percentage points) or `%` (of the base)",
            )),
            (false, None) => Err(self.bad(
                (from, digits),
                "a share needs a unit: write 1% , or +0.1pp for a difference from the base",
            )),
            (_, Some("pp")) if !share => Err(self.bad(
                unit_at,
                "`pp` are points of a share: use `%` with cost and starts",
            )),
            (_, Some("pp")) => Err(self.bad(
                (from, unit_at.1),
                "`pp` is a difference from the base: write it with its sign, as in +0.1pp",
            )),
            _ => Err(self.bad(
                (from, unit_at.1),
                "percent of the base have a sign, as in +2%; without one write dollars or starts",
            )),
        }
    }

    /// Takes a keyword, if it stands here.
    fn keyword(&mut self, word: &str) -> bool {
        let (from, to) = self.peek_word();
        let found = self.text[from..to].eq_ignore_ascii_case(word);
        if found {
            self.at = to;
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Where the next word stands: letters, or else one character.
    fn peek_word(&mut self) -> (usize, usize) {
        self.blanks();
        let rest = self.rest();
        let letters = rest
            .find(|c: char| !c.is_alphabetic() && c != '_')
            .unwrap_or(rest.len());
        let length = match letters {
            0 => rest.chars().next().map_or(0, char::len_utf8),
            letters => letters,
        };
        (self.at, self.at + length)
    }

    fn bad(&self, (from, to): (usize, usize), why: &str) -> BadRule {
        BadRule {
            text: self.text.to_string(),
            from,
            to,
            why: why.to_string(),
        }
    }
}

fn one_or(mut rules: Vec<Rule>, many: fn(Vec<Rule>) -> Rule) -> Rule {
    match rules.len() {
        1 => rules.remove(0),
        _ => many(rules),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cost: (f64, f64), violation: (f64, f64)) -> Vec<ComparedFigure> {
        let figure = |metric, (base, changed): (f64, f64)| ComparedFigure {
            metric,
            base,
            changed,
            difference: changed - base,
            difference_interval: None,
            relative: (base > 0.0).then(|| changed / base - 1.0),
            relative_interval: None,
            days_more: 0,
            days_less: 0,
            p_value: None,
        };
        vec![
            figure(ComparedMetric::Cost, cost),
            figure(ComparedMetric::Violation, violation),
            figure(ComparedMetric::Starts, (0.0, 4.0)),
        ]
    }

    #[test]
    fn rules_hold_where_they_should() {
        let found = figures((100.0, 103.0), (0.010, 0.0105));
        let holds = |rule: &str| FailIf::parse(rule).unwrap().judge(&found).is_some();
        for rule in [
            "cost>+2%",
            "cost > +2 % or violation > +0.1pp",
            "cost>+2% and violation>+0.04pp",
            "violation>1%",
            "violation >= +5%",
            "cost>102",
            "cost>+2.5",
            "starts>+10%",
            "(cost>+5% or violation>+0.01pp) and cost>+1%",
            "violation<+0.06pp",
        ] {
            assert!(holds(rule), "{rule}");
        }
        for rule in [
            "cost>+3.1%",
            "violation>+0.1pp",
            "cost>+2% and violation>+0.1pp",
            "violation>1.1%",
            "cost<-1%",
            "cost<=102.9",
        ] {
            assert!(!holds(rule), "{rule}");
        }
    }

    #[test]
    fn what_came_true_is_said_with_its_figure() {
        let rule = FailIf::parse("violation>+1pp or cost>+2%").unwrap();
        assert_eq!(
            rule.judge(&figures((100.0, 103.0), (0.0, 0.0))).as_deref(),
            Some("cost is +3.000 % against the base (`cost>+2%`)")
        );
        assert!(rule.needs_base() && !FailIf::parse("violation>1%").unwrap().needs_base());
    }

    #[test]
    fn bad_rules_are_marked_where_they_are_bad() {
        let check = |text: &str, why: &str, mark: &str| {
            let error = FailIf::parse(text).unwrap_err().to_string();
            let lines: Vec<&str> = error.lines().collect();
            assert!(lines[0].contains(why), "{error}");
            assert_eq!(lines[1], format!("  {text}"));
            assert_eq!(lines[2], format!("  {mark}"), "{error}");
        };
        check(
            "cost>+2% or volation>+1pp",
            "`volation` is not a metric",
            "            ^^^^^^^^",
        );
        check("cost=2%", "`>`, `<`, `>=` or `<=`", "    ^");
        check("cost>two", "a number should stand here", "     ^^^");
        check("violation>0.1pp", "with its sign", "          ^^^^^");
        check("violation>+0.1", "needs a unit", "          ^^^^");
        check("cost>+1pp", "points of a share", "       ^^");
        check("cost>2%", "have a sign", "     ^^");
        check(
            "cost>+2% cost>+3%",
            "`and`, `or` or the end",
            "         ^^^^",
        );
        check("(cost>+2%", "not closed", "^");
        check("", "a metric should stand here", "^");
        check(
            "cost>+2% und starts>3",
            "`and`, `or` or the end",
            "         ^^^",
        );
    }
}
