# fer-live serve in a container: the archive of scripts/release/archive, on a bare Debian.
#   docker build -t fer .
#   docker run --rm -p 127.0.0.1:8000:8000 fer
# Then open the address it prints. Why 0.0.0.0 within and 127.0.0.1 before: docs/install.md, "Docker".

FROM rust:1.95.0-bookworm AS build
# The image has this toolchain; rust-toolchain.toml would fetch its lints as well.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /fer
COPY . .
RUN scripts/release/archive /archive \
 && mkdir /opt/fer \
 && tar -xzf /archive/fer-*.tar.gz -C /opt/fer --strip-components=1

FROM debian:bookworm-slim
COPY --from=build /opt/fer /opt/fer
ENV PATH=/opt/fer:$PATH
# Nobody in particular: uploads are kept in /tmp while they are read, nothing else is written.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["fer-live"]
CMD ["serve", "--address", "0.0.0.0:8000", "--allow-remote"]
