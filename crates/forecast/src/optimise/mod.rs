//! Finding the least of a function of many numbers.

mod lbfgs;

pub(crate) use lbfgs::Lbfgs;
