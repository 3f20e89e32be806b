//! The proxy between a client and an echoing server.

use std::net::SocketAddr;
use std::time::Duration;

use kit::proxy::Proxy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

/// Long enough for anything that is going to happen.
const SOON: Duration = Duration::from_secs(10);
/// How long nothing must happen.
const WHILE: Duration = Duration::from_millis(300);

async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    addr
}

async fn echoed(stream: &mut TcpStream, word: &[u8]) -> std::io::Result<()> {
    stream.write_all(word).await?;
    let mut back = vec![0; word.len()];
    stream.read_exact(&mut back).await?;
    assert_eq!(back, word);
    Ok(())
}

#[tokio::test]
async fn carries_both_ways_and_the_end_too() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    let large = vec![7; 1 << 20];
    let (mut read, mut write) = stream.split();
    let send = async {
        write.write_all(&large).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut back = Vec::new();
    let ((), received) = timeout(SOON, async {
        tokio::join!(send, read.read_to_end(&mut back))
    })
    .await
    .unwrap();
    received.unwrap();
    assert!(back == large, "{} bytes came back", back.len());
}

#[tokio::test]
async fn cut_ends_connections_and_refuses_new_ones_until_healed() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    echoed(&mut stream, b"before").await.unwrap();
    proxy.cut().await;
    let ended = timeout(SOON, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    TcpStream::connect(proxy.addr()).await.unwrap_err();
    proxy.heal().await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    timeout(SOON, echoed(&mut stream, b"after"))
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_cut_healed_at_once_still_cuts() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    echoed(&mut stream, b"before").await.unwrap();
    proxy.cut().await;
    proxy.heal().await;
    let ended = timeout(SOON, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

#[tokio::test]
async fn frozen_takes_connections_and_passes_nothing_until_healed() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut old = TcpStream::connect(proxy.addr()).await.unwrap();
    echoed(&mut old, b"before").await.unwrap();
    proxy.freeze().await;
    let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
    for stream in [&mut old, &mut new] {
        stream.write_all(b"x").await.unwrap();
        timeout(WHILE, stream.read(&mut [0])).await.unwrap_err();
    }
    proxy.heal().await;
    for stream in [&mut old, &mut new] {
        assert_eq!(
            timeout(SOON, stream.read_u8()).await.unwrap().unwrap(),
            b'x'
        );
    }
}

#[tokio::test]
async fn delays_and_stops_when_dropped() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
    proxy.delay(WHILE);
    let began = Instant::now();
    echoed(&mut stream, b"slow").await.unwrap();
    assert!(began.elapsed() >= WHILE * 2, "once each way");
    drop(proxy);
    let ended = timeout(SOON, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

#[tokio::test]
async fn forgotten_connections_stay_silent_and_new_ones_work() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut old = TcpStream::connect(proxy.addr()).await.unwrap();
    echoed(&mut old, b"before").await.unwrap();
    proxy.forget().await;
    old.write_all(b"lost").await.unwrap();
    assert!(timeout(WHILE, old.read(&mut [0])).await.is_err());
    let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
    timeout(SOON, echoed(&mut new, b"after"))
        .await
        .unwrap()
        .unwrap();
    assert!(timeout(WHILE, old.read(&mut [0])).await.is_err());
}

#[tokio::test]
async fn slammed_connections_are_taken_counted_and_ended() {
    let proxy = Proxy::start(echo_server().await).await;
    let mut old = TcpStream::connect(proxy.addr()).await.unwrap();
    echoed(&mut old, b"before").await.unwrap();
    proxy.slam().await;
    for stream in [old, TcpStream::connect(proxy.addr()).await.unwrap()] {
        let mut stream = stream;
        let ended = timeout(SOON, stream.read(&mut [0])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
    assert_eq!(proxy.taken().len(), 2);
    proxy.heal().await;
    let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
    timeout(SOON, echoed(&mut new, b"after"))
        .await
        .unwrap()
        .unwrap();
}
