local id, keep, size, max_records, max_bytes =
  ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local owner, span, group = ARGV[6], tonumber(ARGV[7]), ARGV[8]
if state(id) then
  return 'exists'
end
while sweep() > 0 do end
if call('ZCARD', EXPIRY) >= max_records
  or tonumber(call('GET', BYTES) or '0') + size > max_bytes then
  return 'full'
end
local time = now()
local key = record_key(id)
call('HSET', key, 'state', ARGV[9], 'created_at', text(time), 'expires_at', text(time + keep),
  'attempts', owner == '' and '0' or '1', 'request', ARGV[10])
if ARGV[11] then
  call('HSET', key, 'result', ARGV[11])
end
if owner ~= '' then
  call('HSET', key, 'owner', owner, 'leased_till', text(time + span))
end
if group ~= '' then
  call('HSET', key, 'group', group)
end
count(id, size)
expire(id, time + keep)
return 'stored'
