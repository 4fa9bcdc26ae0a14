//! Connections: accepted up to a limit, watched, ended in order.
//! In: a listener and a router. Out: served requests until a stop is asked for.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, response::Response};
use hyper::{Request, body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::{TowerToHyperService, TowerToHyperServiceFuture},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep},
};

use crate::{
    error::WebError,
    limits::Limits,
    problem::{Problem, ProblemKind},
    read::senders::Sender,
    stop::{Stop, stopped},
};

/// Pause after a failed accept (no file handles left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop` turns true; then lets running requests end within [`Limits::stop_time`].
pub(crate) async fn run(listener: TcpListener, router: Router, limits: &Limits, mut stop: Stop) {
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((socket, sender)) => match places.clone().try_acquire_owned() {
                Ok(place) => {
                    let socket = Watched::new(socket, limits.idle_time, place);
                    let router = TowerToHyperService::new(router.clone());
                    let answers = Answers { router, sender: Sender(sender.ip()) };
                    tokio::spawn(serve(socket, answers, limits.header_time, stop.clone()));
                }
                Err(_) => {
                    tokio::spawn(refuse(socket, limits.connections));
                }
            },
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    // Connections that do not end in time are cut when the runtime ends.
    drop(tokio::time::timeout(limits.stop_time, places.acquire_many(all)).await);
}

/// The router, for requests that come from one sender.
struct Answers {
    router: TowerToHyperService<Router>,
    sender: Sender,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response;
    type Error = Infallible;
    type Future = TowerToHyperServiceFuture<Router, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.sender);
        self.router.call(request)
    }
}

async fn serve(socket: Watched, answers: Answers, header_time: Duration, mut stop: Stop) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_time)
            .serve_connection(TokioIo::new(socket), answers)
            .with_upgrades()
    );
    let mut stopping = false;
    loop {
        tokio::select! {
            // An error here is a client that left or stalled: there is nobody to tell.
            _ended = connection.as_mut() => return,
            () = stopped(&mut stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Answers 503 without reading the request, and closes.
async fn refuse(mut socket: TcpStream, limit: usize) {
    let detail = format!("all {limit} connections are in use: close some, or try again");
    let body = Problem::new(ProblemKind::Busy, detail).to_json().to_string();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let send = async {
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        // Closing with unread bytes would reset the connection and lose the answer.
        let mut rest = [0; 1024];
        while tokio::io::AsyncReadExt::read(&mut socket, &mut rest).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    // A client that does not take the answer is cut.
    drop(tokio::time::timeout(Duration::from_secs(1), send).await);
}

/// A socket that fails when no byte has moved for a while, and that holds its place until dropped.
struct Watched {
    socket: TcpStream,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Watched {
    fn new(socket: TcpStream, idle: Duration, place: OwnedSemaphorePermit) -> Self {
        // Answers are small and wanted at once; a socket that refuses the option still works.
        drop(socket.set_nodelay(true));
        let deadline = Box::pin(tokio::time::sleep(idle));
        Self { socket, idle, deadline, _place: place }
    }

    /// Moves the deadline when a byte moved; fails when it is over.
    fn watch<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.deadline.as_mut().reset(Instant::now() + self.idle);
            return polled;
        }
        match self.deadline.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
        self.watch(polled, cx)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.watch(polled, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(cx, bytes);
        self.watch(polled, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

/// Binds an address.
///
/// # Errors
/// [`WebError::Address`] with what to try, when it is in use or not this machine's.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    TcpListener::bind(address).await.map_err(|cause| {
        let problem = match cause.kind() {
            io::ErrorKind::AddrInUse => "another program listens here: choose another with --address",
            io::ErrorKind::PermissionDenied => {
                "ports under 1024 need rights: choose a higher one with --address"
            }
            _ => "expected an address of this machine",
        };
        WebError::Address { address, problem, cause }
    })
}
