//! A way to a server that can be cut, or fall silent: what networks do, without one.
//!
//! ```text
//!   client ──► here ──► server        cut: both ends are closed, and so is whoever comes
//!                                     silent: both ends stay open, nothing is read, nothing is answered
//! ```
//! For tests. What fell silent stays so after the cable is mended, for the client; the server has given it up by then.

use std::{io, net::SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A way to a server. It ends with its handle.
#[derive(Debug)]
pub struct Cable {
    state: watch::Sender<State>,
    here: SocketAddr,
}

/// What whoever comes meets, and how often what was open has been cut or fallen silent: nobody misses what is soon mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    now: Now,
    cuts: u32,
    silences: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Whole,
    Cut,
    Silent,
}

impl Cable {
    /// Lays a way to that address, as host:port.
    pub async fn to(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let here = listener.local_addr()?;
        let (state, of_all) = watch::channel(State {
            now: Now::Whole,
            cuts: 0,
            silences: 0,
        });
        let address = address.to_owned();
        tokio::spawn(async move {
            let mut handle = of_all.clone();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((from, _)) => drop(tokio::spawn(carry(from, address.clone(), of_all.clone()))),
                        Err(_) => return,
                    },
                    changed = handle.changed() => if changed.is_err() {
                        return;
                    },
                }
            }
        });
        Ok(Self { state, here })
    }

    /// Puts itself into the address of a database: `url` leads through it afterwards.
    pub async fn into_url(url: &mut String) -> io::Result<Self> {
        let parts = url.rsplit_once('/').and_then(|(place, database)| {
            let (account, address) = place.rsplit_once('@')?;
            Some((account, address, database))
        });
        let Some((account, address, database)) = parts else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it names no account, address and database",
            ));
        };
        let cable = Self::to(address).await?;
        *url = format!("{account}@{}/{database}", cable.here);
        Ok(cable)
    }

    /// Closes what is open and whoever comes.
    pub fn cut(&self) {
        self.state.send_modify(|state| {
            state.now = Now::Cut;
            state.cuts += 1;
        });
    }

    /// Passes nothing on any more; nobody is told.
    pub fn fall_silent(&self) {
        self.state.send_modify(|state| {
            state.now = Now::Silent;
            state.silences += 1;
        });
    }

    /// Passes on whoever comes from now on.
    pub fn mend(&self) {
        self.state.send_modify(|state| state.now = Now::Whole);
    }
}

async fn carry(mut from: TcpStream, address: String, mut state: watch::Receiver<State>) {
    let mut cut = state.clone();
    let first = *state.borrow_and_update();
    if first.now == Now::Cut {
        return;
    }
    let mut to = None;
    if first.now == Now::Whole {
        let Ok(stream) = TcpStream::connect(&address).await else {
            return;
        };
        let to = to.insert(stream);
        tokio::select! {
            _ = copy_bidirectional(&mut from, to) => return,
            _ = cut.wait_for(|state| state.cuts > first.cuts) => return,
            silent = state.wait_for(|state| state.silences > first.silences) => if silent.is_err() {
                return;
            },
        }
    }
    // Nothing is read any more either: whoever has much to say is not rid of it.
    let _ = state.wait_for(|state| state.now != Now::Silent).await;
    // By then the server has given it up.
    drop(to);
    let _ = cut.wait_for(|state| state.cuts > first.cuts).await;
}
