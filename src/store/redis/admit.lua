local id, most, millis = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local key, made, time, span = window(ARGV[1], millis)
if made >= most then
  return standing(0, 0, key, time, span)
end
call('ZADD', key, text(time), id)
call('PEXPIRE', key, text(millis + 1))
return standing(1, most - made - 1, key, time, span)
