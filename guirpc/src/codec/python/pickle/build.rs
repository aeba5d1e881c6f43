//! The data that a pickle builds: nodes that may be named twice, and the tree that is made of them in the end.

use crate::codec::python::keys;
use crate::codec::python::value::Value;
use crate::codec::{MAX_DEPTH, most_values, too_many_values};

/// So many bytes of data may come of a pickle, beyond its own length: it can name one thing again and again.
const MOST_SIZE: usize = 64 << 20;

/// A node, by its number.
pub(super) type Id = usize;

/// What a pickle has made so far. Lists and dicts still grow, also where they were named before.
pub(super) struct Nodes {
    all: Vec<Node>,
    /// How many values it may make, and how many more.
    most_values: usize,
    left: usize,
}

enum Node {
    Leaf(Value),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
}

impl Nodes {
    /// For a pickle of so many bytes.
    pub(super) fn new(length: usize) -> Self {
        let most_values = most_values(length);
        Nodes { all: Vec::new(), most_values, left: most_values }
    }

    /// Counts something that is kept, whether or not it is in the tree in the end.
    pub(super) fn count(&mut self) -> Result<(), String> {
        count(&mut self.left, self.most_values)
    }

    fn add(&mut self, node: Node) -> Result<Id, String> {
        self.count()?;
        self.all.push(node);
        Ok(self.all.len() - 1)
    }

    pub(super) fn leaf(&mut self, value: Value) -> Result<Id, String> {
        self.add(Node::Leaf(value))
    }

    pub(super) fn list(&mut self, items: Vec<Id>) -> Result<Id, String> {
        self.add(Node::List(items))
    }

    pub(super) fn dict(&mut self) -> Result<Id, String> {
        self.add(Node::Dict(Vec::new()))
    }

    pub(super) fn extend_list(&mut self, list: Id, more: impl IntoIterator<Item = Id>) -> Result<(), String> {
        match &mut self.all[list] {
            Node::List(items) => items.extend(more),
            _ => return Err("something is added to what is no list".to_owned()),
        }
        Ok(())
    }

    pub(super) fn extend_dict(&mut self, dict: Id, more: &[Id]) -> Result<(), String> {
        let (pairs, []) = more.as_chunks::<2>() else {
            return Err("odd number of items for SETITEMS".to_owned());
        };
        match &mut self.all[dict] {
            Node::Dict(entries) => entries.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            _ => return Err("an entry is added to what is no dict".to_owned()),
        }
        Ok(())
    }

    /// The tree below a node.
    pub(super) fn tree(&self, root: Id, length: usize) -> Result<Value, String> {
        let (nodes, most_values) = (&*self.all, self.most_values);
        Tree { nodes, size: MOST_SIZE.saturating_add(length), most_values, left: most_values }.value(root, 0)
    }
}

fn count(left: &mut usize, most: usize) -> Result<(), String> {
    *left = left.checked_sub(1).ok_or_else(|| too_many_values(most))?;
    Ok(())
}

struct Tree<'n> {
    nodes: &'n [Node],
    /// How many bytes and how many values it may still have.
    size: usize,
    most_values: usize,
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
        count(&mut self.left, self.most_values)?;
        let size = self.size.checked_sub(size_of::<Value>() + length);
        self.size = size.ok_or_else(|| format!("more than {} MiB of data come of it", MOST_SIZE >> 20))?;
        Ok(())
    }
}
