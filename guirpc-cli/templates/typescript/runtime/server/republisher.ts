// Publishes requests again, one after another, each confirmed by the broker.

import type { ChannelModel, ConfirmChannel, Options } from "amqplib";

import { declareQueue } from "./topology.js";
import { said } from "../errors.js";

export class Republisher {
  readonly #model: ChannelModel;
  readonly #channel: ConfirmChannel;
  #before: Promise<unknown> = Promise.resolve();

  constructor(model: ChannelModel, channel: ConfirmChannel) {
    this.#model = model;
    this.#channel = channel;
  }

  /** Puts it into this queue, which is declared if it is missing. */
  async publish(queue: string, body: Buffer, options: Options.Publish): Promise<void> {
    const turn = this.#before.then(async () => {
      if (!(await this.#attempt(queue, body, options))) {
        await declareQueue(this.#model, queue);
        if (!(await this.#attempt(queue, body, options))) {
          throw new Error(`there is no queue \`${queue}\`, and it cannot be declared`);
        }
      }
    });
    this.#before = turn.catch(() => undefined);
    await turn;
  }

  /** Whether there is such a queue; the broker returns a message before it confirms it. */
  #attempt(queue: string, body: Buffer, options: Options.Publish): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isReturned = false;
      const returned = (): void => {
        isReturned = true;
      };
      // Nothing else is published `mandatory` here.
      this.#channel.once("return", returned);
      this.#channel.publish("", queue, body, options, (refused) => {
        this.#channel.off("return", returned);
        if (refused !== null && refused !== undefined) {
          reject(new Error(`queue \`${queue}\` does not take it: ${said(refused)}`));
        } else {
          resolve(!isReturned);
        }
      });
    });
  }
}
