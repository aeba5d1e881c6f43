//! The data that a pickle builds: nodes that may be named twice, and the tree that is made of them in the end.

use crate::codec::MAX_DEPTH;
use crate::codec::python::keys;
use crate::codec::python::value::Value;

/// So many bytes of data may come of a pickle, beyond its own length: it can name one thing again and again.
const MOST_SIZE: usize = 64 << 20;

/// A node, by its number.
pub(super) type Id = usize;

/// What a pickle has made so far. Lists and dicts still grow, also where they were named before.
#[derive(Default)]
pub(super) struct Nodes(Vec<Node>);

enum Node {
    Leaf(Value),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
}

impl Nodes {
    fn add(&mut self, node: Node) -> Id {
        self.0.push(node);
        self.0.len() - 1
    }

    pub(super) fn leaf(&mut self, value: Value) -> Id {
        self.add(Node::Leaf(value))
    }

    pub(super) fn list(&mut self, items: Vec<Id>) -> Id {
        self.add(Node::List(items))
    }

    pub(super) fn dict(&mut self) -> Id {
        self.add(Node::Dict(Vec::new()))
    }

    pub(super) fn extend_list(&mut self, list: Id, more: impl IntoIterator<Item = Id>) -> Result<(), String> {
        match &mut self.0[list] {
            Node::List(items) => items.extend(more),
            _ => return Err("something is added to what is no list".to_owned()),
        }
        Ok(())
    }

    pub(super) fn extend_dict(&mut self, dict: Id, more: &[Id]) -> Result<(), String> {
        let (pairs, []) = more.as_chunks::<2>() else {
            return Err("odd number of items for SETITEMS".to_owned());
        };
        match &mut self.0[dict] {
            Node::Dict(entries) => entries.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            _ => return Err("an entry is added to what is no dict".to_owned()),
        }
        Ok(())
    }

    /// The tree below a node.
    pub(super) fn tree(&self, root: Id, length: usize) -> Result<Value, String> {
        Tree { nodes: &self.0, left: MOST_SIZE.saturating_add(length) }.value(root, 0)
    }
}

struct Tree<'n> {
    nodes: &'n [Node],
    left: usize,
}

impl Tree<'_> {
    fn value(&mut self, id: Id, depth: usize) -> Result<Value, String> {
        if depth >= MAX_DEPTH {
            return Err(format!("nested {MAX_DEPTH} levels deep or more, or in itself"));
        }
        match &self.nodes[id] {
            Node::Leaf(value) => {
                self.spend(match value {
                    Value::Str(text) => text.len(),
                    Value::Bytes(bytes) => bytes.len(),
                    _ => 0,
                })?;
                Ok(value.clone())
            }
            Node::List(items) => {
                self.spend(0)?;
                items.iter().map(|item| self.value(*item, depth + 1)).collect::<Result<_, _>>().map(Value::List)
            }
            Node::Dict(entries) => {
                self.spend(0)?;
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((self.value(*key, depth + 1)?, self.value(*value, depth + 1)?)));
                entries.collect::<Result<_, String>>().map(|entries| Value::Dict(keys::unique(entries)))
            }
        }
    }

    fn spend(&mut self, length: usize) -> Result<(), String> {
        let left = self.left.checked_sub(size_of::<Value>() + length);
        self.left = left.ok_or_else(|| format!("more than {} MiB of data come of it", MOST_SIZE >> 20))?;
        Ok(())
    }
}
