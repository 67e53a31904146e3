/** kafkajs has no types for its parts; the one that a patch mends is tested by itself. */
declare module "kafkajs/src/consumer/filterAbortedMessages.js" {
  interface Message {
    readonly offset: string
    readonly key: null
    readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
  }
  // biome-ignore lint/style/noDefaultExport: it is what kafkajs exports
  export default function filterAbortedMessages(fetched: {
    readonly messages: readonly Message[]
    readonly abortedTransactions: readonly {
      readonly producerId: string
      readonly firstOffset: string
    }[]
  }): readonly Message[]
}
