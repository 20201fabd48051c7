//! Only the slots' init: what this crate's tests give to the sandbox, because a test binary cannot be it.

fn main() {
    sandbox::init_if_requested();
    eprintln!("this is started by the sandbox");
    std::process::exit(2);
}
