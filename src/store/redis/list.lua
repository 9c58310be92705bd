local key, most = 'orc:1:group:' .. ARGV[1], tonumber(ARGV[2])
local ids = call('ZREVRANGEBYSCORE', key, '+inf', '(' .. text(now()), 'LIMIT', 0, most)
local summaries = {}
for _, id in ipairs(ids) do
  local fields = call('HMGET', record_key(id), 'state', 'created_at', 'finished_at', 'expires_at')
  if fields[1] then
    summaries[#summaries + 1] = { id, fields }
  end
end
return summaries
