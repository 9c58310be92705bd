local id = ARGV[1]
local record = call('HGETALL', record_key(id))
if #record > 0 then
  remove(id)
end
return record
