//! A request between two services, and the labels of its series.

use crate::ServiceGraphs;
use crate::attributes::Labels;
use crate::half::{Half, Side};

/// Who calls a service whose caller nobody traces.
pub(crate) const USER: &str = "user";

/// What kind of request it is; the label `connection_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    Direct,
    Messaging,
    Database,
    /// One side is only known from the other; which.
    Virtual(Side),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) client: String,
    pub(crate) server: String,
    pub(crate) connection: Connection,
    pub(crate) failed: bool,
    /// Nanoseconds that each side measured; 0 of a side without a span.
    pub(crate) client_nanos: u64,
    pub(crate) server_nanos: u64,
    /// Nanoseconds from the end of sending a message to the begin of taking it.
    pub(crate) message_nanos: Option<u64>,
    pub(crate) dimensions: [Labels; 2],
    /// The trace and the span that is its example.
    pub(crate) trace: Vec<u8>,
    pub(crate) span: Vec<u8>,
}

impl Edge {
    /// A request that both sides saw.
    pub(crate) fn paired(client: Half, server: Half) -> Self {
        let messaging = client.messaging || server.messaging;
        Self {
            connection: if messaging { Connection::Messaging } else { Connection::Direct },
            failed: client.failed || server.failed,
            client_nanos: client.nanos(),
            server_nanos: server.nanos(),
            message_nanos: messaging.then(|| server.start.saturating_sub(client.end)),
            client: client.service,
            server: server.service,
            dimensions: [client.dimensions, server.dimensions],
            trace: client.trace,
            span: client.span,
        }
    }

    /// A call of a database, which has no span of its own: its time is the client's.
    pub(crate) fn to_database(client: Half, database: String) -> Self {
        Self { connection: Connection::Database, server_nanos: client.nanos(), ..Self::to(client, database) }
    }

    /// A request to whom only the client knows.
    pub(crate) fn to(client: Half, server: String) -> Self {
        Self {
            connection: Connection::Virtual(Side::Server),
            failed: client.failed,
            client_nanos: client.nanos(),
            server_nanos: 0,
            message_nanos: None,
            client: client.service,
            server,
            dimensions: [client.dimensions, Labels::new()],
            trace: client.trace,
            span: client.span,
        }
    }

    /// A request whose client only the server knows of. `span` is the server's own.
    pub(crate) fn from(client: String, server: Half, span: Vec<u8>) -> Self {
        Self {
            connection: Connection::Virtual(Side::Client),
            failed: server.failed,
            client_nanos: 0,
            server_nanos: server.nanos(),
            message_nanos: None,
            client,
            server: server.service,
            dimensions: [Labels::new(), server.dimensions],
            trace: server.trace,
            span,
        }
    }

    /// The labels of the edge's series.
    pub(crate) fn labels(&self, options: &ServiceGraphs) -> Labels {
        let [of_client, of_server] = &self.dimensions;
        let mut labels = Labels::new();
        if options.enable_client_server_prefix {
            for (side, dimensions) in [(Side::Client, of_client), (Side::Server, of_server)] {
                labels.extend(dimensions.iter().map(|(name, value)| (format!("{}_{name}", side.name()), value.clone())));
            }
        } else {
            let both = of_server.iter().chain(of_client);
            labels.extend(both.map(|(name, value)| (name.clone(), value.clone())));
        }
        let mut label = |name: &str, value: &str| {
            labels.insert(name.to_owned(), value.to_owned());
        };
        label("client", &self.client);
        label("server", &self.server);
        let connection = match self.connection {
            Connection::Direct => None,
            Connection::Messaging => Some("messaging_system"),
            Connection::Database => Some("database"),
            Connection::Virtual(side) => {
                if options.enable_virtual_node_label {
                    label("virtual_node", side.name());
                }
                Some("virtual_node")
            }
        };
        if let Some(connection) = connection {
            label("connection_type", connection);
        }
        labels
    }
}
