//! The choices of Create image: shape, size, quality, type.

use crate::endpoint::choices;

choices! {
    /// The image's width to its height.
    ImageAspectRatio {
        Square = "1:1" "1:1 (square)", R2x3 = "2:3" "2:3", R3x2 = "3:2" "3:2", R3x4 = "3:4" "3:4",
        R4x3 = "4:3" "4:3", R4x5 = "4:5" "4:5", R5x4 = "5:4" "5:4", R9x16 = "9:16" "9:16 (phone)",
        R16x9 = "16:9" "16:9 (screen)", R21x9 = "21:9" "21:9 (wide)", R1x4 = "1:4" "1:4",
        R4x1 = "4:1" "4:1", R1x8 = "1:8" "1:8", R8x1 = "8:1" "8:1", R1x2 = "1:2" "1:2",
        R2x1 = "2:1" "2:1", R9x19 = "9:19.5" "9:19.5", R19x9 = "19.5:9" "19.5:9",
        R9x20 = "9:20" "9:20", R20x9 = "20:9" "20:9", R9x21 = "9:21" "9:21",
        Auto = "auto" "Chosen by the model",
    }
    /// How large the image is.
    ImageSize {
        Half = "0.5K" "0.5K (about 512 pixels)" => "512", One = "1K" "1K (about 1024 pixels)",
        Two = "2K" "2K (about 2048 pixels)", Four = "4K" "4K (about 4096 pixels)",
    }
    /// How much care is taken.
    ImageQuality {
        Auto = "auto" "Chosen by the model", Low = "low" "Low", Medium = "medium" "Medium",
        High = "high" "High",
    }
    /// Whether the background is transparent.
    ImageBackground {
        Auto = "auto" "Chosen by the model", Transparent = "transparent" "Transparent",
        Opaque = "opaque" "Opaque",
    }
    /// The type of the file.
    ImageFormat { Png = "png" "PNG", Jpeg = "jpeg" "JPEG", Webp = "webp" "WebP", Svg = "svg" "SVG" }
    /// What makes a provider preferred.
    ImageProviderSort {
        Price = "price" "Lowest price", Throughput = "throughput" "Highest throughput",
        Latency = "latency" "Shortest wait",
    }
}
