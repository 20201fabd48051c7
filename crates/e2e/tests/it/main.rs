//! The product as a whole: its rules, and what a learner, a teacher, an operator and an attacker see of it.

mod architecture;
mod backup;
mod bad_input;
mod batches;
mod chaos;
mod faults;
mod feedback;
mod hidden;
mod judging;
mod openapi;
mod operate;
mod operation;
mod permissions;
mod start;
mod streams;
mod traces;
