-- Stands before every script. Keys:
--   orc:1:record:ID     hash: the record; Redis drops it when it expires
--   orc:1:group:GROUP   sorted set: the ids of a group, by expiry
--   orc:1:expiry        sorted set: every id, by expiry
--   orc:1:sizes         hash: the bytes of every id
--   orc:1:bytes         number: the sum of orc:1:sizes
--   orc:1:calls:PLACE   sorted set: a connection's counted calls, by their times in microseconds;
--                       gone when the last one leaves the window
-- An id is KIND:LOCATOR, and so is the name of a group. Times are milliseconds since 1970 by this
-- server's clock, given to Redis as texts, because it would round large numbers.
local call = redis.call
local EXPIRY, SIZES, BYTES = 'orc:1:expiry', 'orc:1:sizes', 'orc:1:bytes'

local function text(number)
  return string.format('%.0f', number)
end

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The calls that a connection made in the window, of span milliseconds: the key of their set, how
-- many they are, and the time and the span in microseconds. Those from beyond the window that is
-- to come are no calls of this time: the clock was set back, and they would stay for too long.
local function window(place, span)
  local key, time = 'orc:1:calls:' .. place, call('TIME')
  time, span = time[1] * 1000000 + time[2], span * 1000
  call('ZREMRANGEBYSCORE', key, '-inf', text(time - span))
  call('ZREMRANGEBYSCORE', key, '(' .. text(time + span), '+inf')
  return key, call('ZCARD', key), time, span
end

-- The answer to who counts: whether it was admitted, what is left, and the microseconds until
-- the oldest call leaves the window, 0 if there is none.
local function standing(admitted, left, key, time, span)
  local oldest = call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
  return { admitted, math.max(left, 0), oldest and tonumber(oldest) + span - time or 0 }
end

local function record_key(id)
  return 'orc:1:record:' .. id
end

local function field(id, name)
  return call('HGET', record_key(id), name)
end

-- Counts size bytes for the id, or forgets it when size is nil.
local function count(id, size)
  local before = tonumber(call('HGET', SIZES, id) or '0')
  call('INCRBY', BYTES, text((size or 0) - before))
  if size then
    call('HSET', SIZES, id, text(size))
  else
    call('HDEL', SIZES, id)
  end
end

-- Lets the id expire, in every place that knows it.
local function expire(id, at)
  call('PEXPIREAT', record_key(id), text(at))
  call('ZADD', EXPIRY, text(at), id)
  local group = field(id, 'group')
  if group then
    local key = 'orc:1:group:' .. group
    local time = now()
    call('ZREMRANGEBYSCORE', key, '-inf', text(time))
    call('ZADD', key, text(at), id)
    if call('PTTL', key) < at - time then
      call('PEXPIREAT', key, text(at))
    end
  end
end

local function remove(id)
  local group = field(id, 'group')
  if group then
    call('ZREM', 'orc:1:group:' .. group, id)
  end
  call('DEL', record_key(id))
  call('ZREM', EXPIRY, id)
  count(id, nil)
end

-- Forgets up to 200 ids that expired; how many that were.
local function sweep()
  local ids = call('ZRANGEBYSCORE', EXPIRY, '-inf', text(now()), 'LIMIT', 0, 200)
  for _, id in ipairs(ids) do
    remove(id)
  end
  return #ids
end

-- The record's state code, or nil if there is none.
local function state(id)
  return field(id, 'state')
end

local function owned(id, owner)
  return field(id, 'owner') == owner
end
local RUNNING, CANCELLED = '1', '4'
