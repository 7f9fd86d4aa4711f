# A checkpoint of 16 steps, OUT/model-16.safetensors.
file(REMOVE_RECURSE ${OUT})
execute_process(COMMAND ${TOOL} train --epochs 1 --validation 58000 --out ${OUT} OUTPUT_QUIET ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
