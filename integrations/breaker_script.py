"""The shared breaker as one Lua script. Redis' own clock is the only clock, so the processes' may differ.

KEYS[1]  the breaker: a hash {state, until, open, probe, probe_until, and t<slot>, f<slot> of the rolling window}
ARGV     what (enter | leave), probe token, outcome (ok | failure | nothing), lease, window, least failures, ratio,
         open, longest open; times in milliseconds
Returns  {verdict (pass | probe | refused), state, milliseconds until it is worth asking again}
"""

from typing import Final

SCRIPT: Final = """
local key, what, probe, outcome = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local lease, window, least, ratio = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local open, longest = tonumber(ARGV[8]), tonumber(ARGV[9])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HGET', key, 'state') or 'closed'

local function number(field)
  return tonumber(redis.call('HGET', key, field) or '0')
end

local function trip(duration)
  redis.call('DEL', key)
  redis.call('HSET', key, 'state', 'open', 'until', now + duration, 'open', duration)
  -- Forgotten some time after nobody probed it: a credential that is no longer used leaves nothing behind.
  redis.call('PEXPIRE', key, duration + longest)
  return {'refused', 'open', duration}
end

if what == 'enter' then
  if state == 'closed' then return {'pass', 'closed', 0} end
  local wait = number('until') - now
  if wait > 0 then return {'refused', 'open', wait} end
  wait = number('probe_until') - now
  if wait > 0 then return {'refused', 'half-open', wait} end
  redis.call('HSET', key, 'state', 'half-open', 'probe', probe, 'probe_until', now + lease)
  redis.call('PEXPIRE', key, lease + longest)
  return {'probe', 'half-open', 0}
end

if state ~= 'closed' then
  if probe ~= '' and redis.call('HGET', key, 'probe') == probe then
    if outcome == 'ok' then
      redis.call('DEL', key)
      return {'pass', 'closed', 0}
    elseif outcome == 'failure' then
      return trip(math.min(number('open') * 2, longest))
    end
    redis.call('HDEL', key, 'probe', 'probe_until')
  end
  return {'refused', state, math.max(number('until') - now, number('probe_until') - now, 0)}
end

if outcome == 'nothing' then return {'pass', 'closed', 0} end

local slots = 10
local slot = math.floor(now * slots / window)
redis.call('HINCRBY', key, 't' .. slot, 1)
if outcome == 'failure' then redis.call('HINCRBY', key, 'f' .. slot, 1) end
redis.call('PEXPIRE', key, window * 2)
if outcome == 'ok' then return {'pass', 'closed', 0} end

local total, failures = 0, 0
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if tonumber(string.sub(fields[i], 2)) <= slot - slots then
    redis.call('HDEL', key, fields[i])
  elseif string.sub(fields[i], 1, 1) == 't' then
    total = total + fields[i + 1]
  else
    failures = failures + fields[i + 1]
  end
end
if failures >= least and failures >= ratio * total then return trip(open) end
return {'pass', 'closed', 0}
"""
