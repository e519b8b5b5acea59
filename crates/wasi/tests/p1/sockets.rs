//! Sockets that the embedder gave, and what is no socket.

use crate::guest::{DATA, Guest, IOVS, OUT, refused};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

#[test]
fn what_is_no_socket() {
    let mut g = Guest::new();
    g.file("f", b"");
    let fd = g.open("f", 0).unwrap();
    g.buffers(&[(DATA, 1)]);
    for fd in [0, 1, 3, fd] {
        refused!(g.call("sock_shutdown", &[fd, 1]), NotSock);
        refused!(g.call("sock_accept", &[fd, 0, OUT]), NotSock);
        refused!(g.call("sock_recv", &[fd, IOVS, 1, 0, OUT, OUT + 4]), NotSock);
        refused!(g.call("sock_send", &[fd, IOVS, 1, 0, OUT]), NotSock);
    }
    refused!(g.call("sock_shutdown", &[99, 1]), Badf);
    refused!(g.call("sock_accept", &[99, 0, OUT]), Badf);
    refused!(g.call("sock_recv", &[99, IOVS, 1, 0, OUT, OUT + 4]), Badf);
    refused!(g.call("sock_send", &[99, IOVS, 1, 0, OUT]), Badf);
}

#[test]
fn a_connection() {
    let (mut host, guest) = UnixStream::pair().unwrap();
    let mut g = Guest::with(|builder, _| {
        builder.preopened_socket(guest);
    });
    assert_eq!(g.fdstat(4).unwrap().filetype, 6);
    host.write_all(b"ping").unwrap();
    g.buffers(&[(DATA, 2), (DATA + 8, 9)]);
    g.call("sock_recv", &[4, IOVS, 2, 1, OUT, OUT + 4]).unwrap();
    assert_eq!(g.u32(OUT), 4);
    g.call("sock_recv", &[4, IOVS, 2, 0, OUT, OUT + 4]).unwrap();
    assert_eq!((g.u32(OUT), g.peek(DATA, 2), g.peek(DATA + 8, 2)), (4, b"pi".to_vec(), b"ng".to_vec()));
    refused!(g.call("sock_recv", &[4, IOVS, 2, 4, OUT, OUT + 4]), Inval);
    g.call("sock_send", &[4, IOVS, 1, 0, OUT]).unwrap();
    refused!(g.call("sock_send", &[4, IOVS, 1, 1, OUT]), Inval);
    g.write(4, b"more").unwrap();
    refused!(g.call("sock_shutdown", &[4, 0]), Inval);
    refused!(g.call("sock_shutdown", &[4, 4]), Inval);
    g.call("sock_shutdown", &[4, 2]).unwrap();
    let mut all = String::new();
    host.read_to_string(&mut all).unwrap();
    assert_eq!(all, "pimore");
    refused!(g.write(4, b"x"), Pipe);
}

#[test]
fn a_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut g = Guest::with(|builder, _| {
        builder.preopened_socket(listener);
    });
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"hello").unwrap();
    g.call("sock_accept", &[4, 0, OUT]).unwrap();
    let fd = i64::from(g.u32(OUT));
    assert_eq!(fd, 5);
    assert_eq!(g.read(fd, 5), Ok(b"hello".to_vec()));
    refused!(g.call("sock_accept", &[fd, 0, OUT]), NotCapable);
    g.call("fd_fdstat_set_flags", &[4, 4]).unwrap();
    refused!(g.call("sock_accept", &[4, 0, OUT]), Again);
}
