// A dashboard on one terminal: `node subscriber.mjs dashboard.json`, after `npm install` (MQTT.js 5).
//
// Prints alerts, devices and gaps as lines. Typing `ack ENDING [true|false_alarm] [NOTE]` acknowledges the alert
// whose id ends so, `quit` ends.

import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import mqtt from 'mqtt'
import { Book } from './book.mjs'

const LARGEST = 262144
const A_WEEK_S = 7 * 86400
const KNOWN = ['alert', 'status', 'health', 'clock', 'coverage', 'config', 'counts', 'result']

const file = process.argv[2]
const settings = JSON.parse(fs.readFileSync(file, 'utf8'))
const here = name => path.resolve(path.dirname(file), settings[name])
const read = name => settings[name] && fs.readFileSync(here(name))
let connection = ''
const book = new Book(here('state_file'), nowS())

// The broker keeps our place, and what comes for us, while we are away: a fixed client id, no clean start, and an
// expiry. Larger packets than the contract allows it shall not even send. The certificate is verified, always.
const scheme = settings.transport === 'websockets' ? 'wss' : 'mqtts'
const client = mqtt.connect(`${scheme}://${settings.host}:${settings.port}`, {
  protocolVersion: 5,
  clientId: settings.client_id,
  clean: false,
  keepalive: 20,
  reconnectPeriod: 2000,
  properties: { sessionExpiryInterval: A_WEEK_S, maximumPacketSize: LARGEST + 1024 },
  ca: read('ca_file'),
  cert: read('cert_file'),
  key: read('key_file'),
  username: settings.username,
  password: read('password_file')?.toString().split('\n')[0]
})

for (const line of book.open()) say(`still open: ${line}`)
client.on('error', error => sayConnection(`not connected: ${error.message}`))
client.on('close', () => { if (connection === 'connected') sayConnection('not connected') })
client.on('connect', () => {
  for (const device of book.devices.values()) device.heardS = nowS() // while we were deaf, nobody was silent
  client.subscribe(`edgeguard/v1/${settings.site}/${settings.device}/up/#`, { qos: 1 }, error => {
    sayConnection(error ? `not subscribed: ${error.message}` : 'connected')
  })
})

// MQTT.js acknowledges a message to the broker when this has returned. A stranger's message shall neither be
// believed nor end us: it is refused, and acknowledged like others. Nothing is said of it on a topic that we do not
// know, such as a doctor's. A book that cannot be saved ends us.
client.on('message', (topic, payload, packet) => {
  let numbered = false
  try {
    numbered = take(told(topic, payload), packet.retain)
  } catch (error) {
    if (KNOWN.includes(topic.split('/')[5])) say(`refused a message on ${topic.slice(0, 200)}: ${error.message}`)
  }
  if (numbered) book.save()
})

// The message, if it is one of the device that its topic names.
function told (topic, payload) {
  if (payload.length > LARGEST) throw new Error('too large')
  const body = JSON.parse(payload)
  const [product, name, version] = body.schema.split('.')
  const [, , site, device] = topic.split('/')
  if (product !== 'edgeguard' || version !== 'v1' || body.site !== site || body.device !== device) {
    throw new Error('not of its topic, or not of this contract')
  }
  for (const number of [body.seq ?? 0, body.seq_high ?? 0]) {
    if (!Number.isSafeInteger(number)) throw new Error('its number is none')
  }
  return { name, body, where: `${site}/${device}` }
}

// Show what is news; true if it was a numbered message, after which the book is to be saved.
function take ({ name, body, where }, retained) {
  const device = book.device(where, nowS())
  if (name === 'alert') {
    const line = alertLine(body)
    if (book.isNews(body, line)) say(line)
  } else if (name === 'status') {
    if (device.status(body, retained)) say(`${where} is ${body.state}`)
  } else if (name === 'health' && body.seq === null) {
    const health = healthLine(body)
    if (health !== device.health) say(`${where} health ${health}`)
    device.health = health
  } else if (name === 'coverage') {
    for (const { source, watched_share: share } of body.sources) {
      say(`${where} ${source} was watched ${(100 * share).toFixed(2)}% of ${body.day}`)
    }
  } else if (name === 'result') {
    say(`${where} ${body.verb} ${body.ok ? 'done' : body.reason}`)
    for (const { from_seq: first, to_seq: last, reason } of body.unavailable) {
      device.settled(first, last)
      say(`${where} lost ${first} to ${last}: ${reason}`)
    }
  }
  const numbered = Number.isInteger(body.seq)
  if (numbered || Number.isInteger(body.seq_high)) device.gaveOut(body.seq ?? body.seq_high, nowS())
  if (numbered) device.settled(body.seq, body.seq)
  return numbered
}

function alertLine (alert) {
  const remarks = [
    alert.drill && 'DRILL',
    alert.replayed && 'late',
    alert.clock.quality !== 'synced' && `clock ${alert.clock.quality}`,
    ...(alert.blind ?? []).map(one => `${one.source} was blind (${one.cause})`),
    alert.acknowledged && `seen by ${alert.acknowledged.by}`
  ].filter(Boolean).join(', ')
  return `${alert.observed_at.slice(11, 19)} ${alert.severity} ${alert.state} ${alert.site}/${alert.device} ` +
    `${alert.source}: ${alert.summary} [${alert.alert_id.slice(-12)}] ${remarks}`.trimEnd()
}

// The state and what is not well; `code`, where there is one, is for programs, `reason` for people.
function healthLine (health) {
  const ill = Object.entries(health.parts).filter(([, part]) => part.state === 'degraded').sort()
    .map(([name, part]) => `${name} (${part.code ?? 'degraded'}: ${part.reason})`)
  return `${health.state} ${ill.join(', ')}`.trimEnd()
}

// Silence and gaps: what is noticed by nothing coming.
setInterval(() => {
  for (const [name, device] of book.devices) {
    if (client.connected && device.silent(nowS(), settings.silent_after_s)) say(`${name} is unknown: it has said nothing for a while`)
    for (const { first, last } of device.missing(nowS(), settings.late_after_s)) {
      say(`${name} missing ${first} to ${last}`)
      if (settings.may_command) askAgain(name, first, last)
    }
  }
}, 200)

readline.createInterface({ input: process.stdin }).on('line', line => {
  const [, word, ending, verdict, note] = line.match(/^(\S*)\s*(\S*)\s*(\S*)\s*(.*)$/)
  if (word === 'quit') client.end(false, () => process.exit())
  else if (word === 'ack') acknowledge(ending, verdict || null, note.trim() || null)
})

function acknowledge (ending, verdict, note) {
  const alert = book.find(ending)
  if (!alert || !['true', 'false_alarm', null].includes(verdict)) {
    return say('usage: ack ENDING-OF-AN-ALERT-ID [true|false_alarm] [NOTE]')
  }
  send(`${alert.site}/${alert.device}`, 'ack', {
    schema: 'edgeguard.ack.v1',
    ack_id: randomUUID(),
    alert_id: alert.id,
    by: settings.by,
    at: utcNow(),
    verdict,
    note
  })
}

function askAgain (device, first, last) {
  send(device, 'command/replay', {
    schema: 'edgeguard.command.v1',
    command_id: randomUUID(),
    verb: 'replay',
    by: settings.by,
    issued_at: utcNow(),
    expires_at: null,
    from_seq: first,
    to_seq: last
  })
}

// At QoS 1 and never retained: a request is for now.
function send (where, what, members) {
  const [site, device] = where.split('/')
  client.publish(`edgeguard/v1/${where}/down/${what}`, JSON.stringify({ site, device, ...members }), { qos: 1 })
}

function sayConnection (text) {
  if (text !== connection) say(text)
  connection = text
}

// What came over the wire does not get to steer the terminal.
function say (text) {
  console.log(text.replace(/\p{C}/gu, '\uFFFD'))
}

function nowS () {
  return performance.now() / 1000
}

// Microseconds, as the contract has it.
function utcNow () {
  return new Date().toISOString().replace('Z', '000Z')
}
