#!/bin/bash
#SBATCH --job-name=test
#SBATCH --nodes=1
#SBATCH --ntasks=16
#SBATCH --partition=titan
#SBATCH --gres=gpu:1

echo $CUDA_VISIBLE_DEVICES
export PATH="/opt/app/anaconda3/bin:$PATH"
source activate torch
python pytorch_test.py
