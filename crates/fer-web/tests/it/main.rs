//! The web app's server, over real sockets on loopback, with fakes for detector and network.

mod fakes;
mod http;
mod live;
mod streams;
mod videos;
