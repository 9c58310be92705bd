local id, most, millis = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local key, made, time, span = window(ARGV[1], millis)
local gone = call('ZREM', key, id)
return standing(gone, most - made + gone, key, time, span)
