//! The slot's init as a binary of its own, for tests and for services whose own binary cannot serve as one.

fn main() {
    sandbox::init_if_requested();
    eprintln!("this program is started by the sandbox only");
    std::process::exit(2);
}
