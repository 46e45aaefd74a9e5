// What a dashboard has to remember: the newest revision of each alert, how each device is, and what is missing.

import fs from 'node:fs'

const MOST_ALERTS = 1000

// One device: its row of numbered messages, its newest run, and when it was last heard.
export class Device {
  constructor (highest = null, gaps = []) {
    Object.assign(this, { highest, gaps, bootId: '', startedAt: '', state: 'unknown', heardS: 0, health: '' })
  }

  // All up to `seq` exists. What was before the first that we heard of is not ours to miss.
  gaveOut (seq, nowS) {
    if (this.highest !== null && seq > this.highest) {
      this.gaps.push({ first: this.highest + 1, last: seq, sinceS: nowS, told: false })
    }
    this.highest = Math.max(this.highest ?? seq, seq)
  }

  // These came, or the device said why they never will.
  settled (first, last) {
    this.gaps = this.gaps.flatMap(gap => {
      if (last < gap.first || gap.last < first) return [gap]
      return [{ ...gap, last: first - 1 }, { ...gap, first: last + 1 }].filter(part => part.first <= part.last)
    })
  }

  // What is news: gaps older than the time of grace, each told once.
  missing (nowS, lateAfterS) {
    const late = this.gaps.filter(gap => !gap.told && nowS - gap.sinceS >= lateAfterS)
    for (const gap of late) gap.told = true
    return late
  }

  // False for a last will of an older run, which comes late and means nothing.
  status (body, retained) {
    const newer = body.boot_id === this.bootId || body.started_at > this.startedAt
    if (!newer && (retained || body.state === 'offline')) return false
    const changed = body.state !== this.state
    Object.assign(this, { bootId: body.boot_id, startedAt: body.started_at, state: body.state })
    return changed
  }

  // True once, when a device that said it is online has said nothing for too long.
  silent (nowS, silentAfterS) {
    if (this.state !== 'online' || nowS - this.heardS < silentAfterS) return false
    this.state = 'unknown'
    return true
  }
}

// Alerts and devices, kept in a file so that a restart forgets nothing.
export class Book {
  constructor (path, nowS) {
    this.alerts = new Map() // by id, the oldest first; a larger dashboard has a database here
    this.devices = new Map()
    this.path = path
    if (fs.existsSync(path)) {
      const saved = JSON.parse(fs.readFileSync(path, 'utf8'))
      this.alerts = new Map(saved.alerts)
      for (const [name, { highest, gaps }] of saved.rows) {
        this.devices.set(name, new Device(highest, gaps.map(gap => ({ ...gap, sinceS: nowS }))))
      }
    }
  }

  // A device that said something now.
  device (name, nowS) {
    if (!this.devices.has(name)) this.devices.set(name, new Device())
    const device = this.devices.get(name)
    device.heardS = nowS
    return device
  }

  // False for a copy, and for a revision older than one we have; else `line` is how it is shown.
  isNews (alert, line) {
    if (this.alerts.get(alert.alert_id)?.revision >= alert.revision) return false
    const { alert_id: id, site, device, revision, closed_at: closedAt } = alert
    this.alerts.set(id, { id, site, device, revision, closedAt, line })
    if (this.alerts.size > MOST_ALERTS) {
      const over = [...this.alerts.values()].find(one => one.closedAt) ?? this.alerts.values().next().value
      this.alerts.delete(over.id)
    }
    return true
  }

  // What goes on, as lines.
  open () {
    return [...this.alerts.values()].filter(alert => !alert.closedAt).map(alert => alert.line)
  }

  // The alert whose id ends so.
  find (ending) {
    return [...this.alerts.values()].find(alert => ending && alert.id.endsWith(ending))
  }

  // Whole or not at all. Acknowledge a message to the broker after this, never before.
  save () {
    const rows = [...this.devices].map(([name, { highest, gaps }]) => [name, { highest, gaps }])
    const file = fs.openSync(`${this.path}.new`, 'w')
    fs.writeSync(file, JSON.stringify({ alerts: [...this.alerts], rows }))
    fs.fsyncSync(file)
    fs.closeSync(file)
    fs.renameSync(`${this.path}.new`, this.path)
  }
}
