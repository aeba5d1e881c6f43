// The exchange and the queues, declared as guirpc's servers in Rust declare them, so that both may.

import type { Channel, ChannelModel } from "amqplib";

import { codeOf, onChannelOfItsOwn } from "../connection.js";
import { said } from "../errors.js";
import { EXCHANGE } from "../names.js";

/** The queues of a service, or of one of its lanes. */
export interface Queues {
  readonly own: string;
  /** For messages that hold several calls. */
  readonly calls: string;
  /** For another attempt. */
  readonly retry: string;
  /** For another attempt, one at a time. */
  readonly quarantine: string;
  /** Which all lanes of a service share. */
  readonly dead: string;
}

export function queuesOf(service: string, lane: string | undefined): Queues {
  const own = lane === undefined ? service : `${service}.${lane}`;
  return { own, calls: `${own}.calls`, retry: `${own}.retry`, quarantine: `${own}.quarantine`, dead: `${service}.dead` };
}

const DURABLE = { durable: true, arguments: { "x-queue-type": "classic" } };

/** Declares all of it; what the user may not declare is taken as it is, since an operator may have declared it. */
export async function declare(model: ChannelModel, queues: Queues): Promise<void> {
  await exchange(model);
  for (const queue of [queues.own, queues.retry, queues.quarantine, queues.dead, queues.calls]) {
    await declareQueue(model, queue);
  }
  await bind(model, queues.own);
  await bind(model, queues.calls);
}

export async function declareQueue(model: ChannelModel, queue: string): Promise<void> {
  await permitted(model, `queue \`${queue}\``, (channel) => channel.assertQueue(queue, DURABLE));
}

async function exchange(model: ChannelModel): Promise<void> {
  await permitted(model, `exchange \`${EXCHANGE}\``, (channel) => channel.assertExchange(EXCHANGE, "direct", { durable: true }));
}

async function bind(model: ChannelModel, queue: string): Promise<void> {
  await permitted(model, `the binding of \`${queue}\``, (channel) => channel.bindQueue(queue, EXCHANGE, queue));
}

/** Declares the exchange and the bindings again, if somebody has deleted them. */
export async function restore(model: ChannelModel, queues: Queues): Promise<void> {
  await exchange(model);
  await bind(model, queues.own);
  await bind(model, queues.calls);
}

async function permitted(model: ChannelModel, what: string, act: (channel: Channel) => Promise<unknown>): Promise<void> {
  try {
    await onChannelOfItsOwn(model, act);
  } catch (error) {
    const code = codeOf(error);
    if (code === 406) {
      throw new Error(`${what} exists already and is declared differently: ${said(error)}; nothing is served until they agree`, { cause: error });
    }
    if (code !== 403) {
      throw error;
    }
  }
}
