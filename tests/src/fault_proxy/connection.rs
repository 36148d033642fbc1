//! One client connection of the fault proxy. Each request gets a fresh connection to the server: one kept open could be closed
//! by the server at any time, and the test would see a fault that no rule asked for.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::http::{Framing, Head, Tamper, copy_body};
use super::{Action, SeenRequest, Shared, rule};

/// Serves requests one after the other until either side closes or a rule does.
pub(super) async fn serve(client: TcpStream, upstream: SocketAddr, shared: Arc<Shared>) {
    // An error here is a closed connection, which is what the client sees and what half of the rules are for.
    let _ = serve_requests(client, upstream, &shared).await;
}

async fn serve_requests(client: TcpStream, upstream: SocketAddr, shared: &Shared) -> Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    while let Some(head) = Head::read(&mut client).await? {
        let request = head.request();
        let rule = shared.decide(&request);
        if let Some(rule) = &rule
            && !before_forward(rule, &head, &request, &mut client).await?
        {
            continue;
        }
        let stream = TcpStream::connect(upstream).await?;
        stream.set_nodelay(true)?;
        let keep = exchange(&head, &request, rule.as_deref(), &mut client, &mut BufReader::new(stream)).await?;
        if !keep || head.closes() {
            return client.shutdown().await;
        }
    }
    Ok(())
}

/// Does what a rule asks for before the server sees anything; false when the request is answered already.
async fn before_forward(
    rule: &rule::State,
    head: &Head,
    request: &SeenRequest,
    client: &mut BufReader<TcpStream>,
) -> Result<bool> {
    match rule.action() {
        Action::Respond { .. } | Action::Answer { .. } => {
            let whole = !head.expects_continue();
            if whole {
                copy_body(client, &mut tokio::io::sink(), head.request_framing(), Tamper::default()).await?;
                rule.hit(request);
            }
            respond(client, rule.action()).await?;
            if whole {
                return Ok(false);
            }
            // The client waits for leave to send its body; a final answer is as good, but the connection cannot go on.
            rule.hit(request);
            Err(ErrorKind::ConnectionAborted.into())
        }
        Action::DropBeforeForward => {
            rule.hit(request);
            Err(Error::new(ErrorKind::ConnectionAborted, "dropped by a rule"))
        }
        Action::Delay(time) => {
            rule.hit(request);
            tokio::time::sleep(*time).await;
            Ok(true)
        }
        Action::Hold => {
            rule.hit(request);
            rule.released().await;
            Ok(true)
        }
        Action::DropInBody(_)
        | Action::DropAfterForward
        | Action::HoldResponse
        | Action::CorruptResponse(_)
        | Action::WithoutHeader(_)
        | Action::TruncateResponse(_) => Ok(true),
    }
}

/// Sends the request on and the answer back; true when the client's connection can be used again.
async fn exchange(
    head: &Head,
    request: &SeenRequest,
    rule: Option<&rule::State>,
    client: &mut BufReader<TcpStream>,
    server: &mut BufReader<TcpStream>,
) -> Result<bool> {
    let action = rule.map(rule::State::action);
    let hit = || {
        if let Some(rule) = rule {
            rule.hit(request);
        }
    };
    server.write_all(&head.raw).await?;
    let mut early = None;
    if head.expects_continue() {
        let answer = read_response(server).await?;
        if answer.status() == 100 {
            client.write_all(&answer.raw).await?;
        } else {
            early = Some(answer);
        }
    }
    let answered_early = early.is_some();
    let mut answer = if let Some(answer) = early {
        answer
    } else {
        let cut = if let Some(Action::DropInBody(cut)) = action { Some(*cut) } else { None };
        let sent = copy_body(client, server, head.request_framing(), Tamper { cut, ..Tamper::default() }).await;
        if cut.is_some() {
            hit();
            return Err(ErrorKind::ConnectionAborted.into());
        }
        sent?;
        final_response(server).await?
    };
    let framing = answer.response_framing(&request.method);
    let mut tamper = Tamper::default();
    match action {
        Some(Action::DropAfterForward) => {
            copy_body(server, &mut tokio::io::sink(), framing, Tamper::default()).await?;
            hit();
            return Err(ErrorKind::ConnectionAborted.into());
        }
        Some(Action::HoldResponse) => {
            hit();
            if let Some(rule) = rule {
                rule.released().await;
            }
        }
        Some(Action::CorruptResponse(at)) => {
            hit();
            tamper.flip = Some(*at);
        }
        Some(Action::WithoutHeader(name)) => {
            hit();
            answer.remove(name);
        }
        Some(Action::TruncateResponse(at)) => {
            hit();
            tamper.cut = Some(*at);
        }
        _ => {}
    }
    client.write_all(&answer.raw).await?;
    copy_body(server, client.get_mut(), framing, tamper).await?;
    Ok(!answered_early && framing != Framing::UntilClose && !answer.closes())
}

async fn read_response(server: &mut BufReader<TcpStream>) -> Result<Head> {
    Head::read(server).await?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

async fn final_response(server: &mut BufReader<TcpStream>) -> Result<Head> {
    loop {
        let answer = read_response(server).await?;
        if answer.status() != 100 {
            return Ok(answer);
        }
    }
}

/// Answers with an S3 error document, in place of the server.
async fn respond(client: &mut BufReader<TcpStream>, action: &Action) -> Result<()> {
    let (status, kind, body) = match action {
        Action::Respond { status, code } => (status, "application/xml", error_document(code)),
        Action::Answer { status, json } => (status, "application/problem+json", json.clone()),
        _ => return Ok(()),
    };
    let head = format!("HTTP/1.1 {status} Injected\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    client.write_all(format!("{head}{body}").as_bytes()).await?;
    client.flush().await
}

fn error_document(code: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>injected by the fault proxy</Message>\
         <RequestId>fault-proxy</RequestId></Error>"
    )
}
