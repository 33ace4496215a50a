comment = Facebook feed photo
status = unverified
source = 2048 pixels a side is what is commonly reported; academic simulators use quality 71, others up to 85
note = Facebook's geometry (2048) and quality (71 to 85) are reported, not measured
geometry = fit 2048x2048
quality = 71-85
subsampling = 420
progressive = yes
