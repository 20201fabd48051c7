//! The one question devkit asks a broker itself: who is in the cluster. Written by hand, so that devkit needs no Kafka client.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const METADATA: i16 = 3;
const VERSION: i16 = 1;
const CORRELATION: i32 = 20;
/// An answer about one broker and no topic has a few dozen bytes; more is not one.
const LONGEST: usize = 64 * 1024;

/// Asks for metadata without topics and returns the number of brokers that may serve clients.
///
/// A broker answers before it is allowed to serve, then with none: it is ready when it lists itself.
pub(crate) async fn serving_brokers(address: &str) -> std::io::Result<i32> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request()).await?;
    let length = usize::try_from(stream.read_i32().await?)
        .ok()
        .filter(|length| (8..=LONGEST).contains(length));
    let length = length.ok_or_else(|| std::io::Error::other("not an answer of a kafka broker"))?;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    let mut fields = answer.as_slice();
    let correlation = fields.read_i32().await?;
    if correlation != CORRELATION {
        return Err(std::io::Error::other("an answer to another question"));
    }
    fields.read_i32().await
}

/// Length, header (api, version, correlation, client id), then an empty list of topics.
fn request() -> Vec<u8> {
    const CLIENT: &[u8] = b"devkit";
    let body = [
        &METADATA.to_be_bytes()[..],
        &VERSION.to_be_bytes(),
        &CORRELATION.to_be_bytes(),
        &[0, 6],
        CLIENT,
        &0_i32.to_be_bytes(),
    ]
    .concat();
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    [&[0, 0, 0, length], body.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answer_with(answer: Vec<u8>) -> std::io::Result<i32> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port").to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let mut asked = vec![0; request().len()];
            stream
                .read_exact(&mut asked)
                .await
                .expect("a whole request");
            stream.write_all(&answer).await.expect("the client listens");
            asked
        });
        let brokers = serving_brokers(&address).await;
        assert_eq!(server.await.expect("the server did not panic"), request());
        brokers
    }

    #[tokio::test]
    async fn counts_the_brokers_of_the_answer() {
        let answer = [12_i32, CORRELATION, 1, 0].map(i32::to_be_bytes).concat();
        assert_eq!(answer_with(answer).await.expect("a good answer"), 1);
    }

    #[tokio::test]
    async fn rejects_what_no_broker_says() {
        answer_with(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())
            .await
            .expect_err("that was HTTP");
        let foreign = [8_i32, 7, 1].map(i32::to_be_bytes).concat();
        answer_with(foreign)
            .await
            .expect_err("that was for somebody else");
    }
}
